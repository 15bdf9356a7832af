import { describe, expect, test } from "bun:test";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { CounterBoard, newSocketCounters } from "../../../lib/host/dataplane/counter-board.ts";
import { LinkLedger } from "../../../lib/host/dataplane/link-ledger.ts";
import { newEngineCounters, newLinkCounters } from "../../../lib/overlay/sleeve/counters.ts";

describe("counters in shared memory", () => {
  test("are read as they were written, each under its name", () => {
    const numbered = <T extends object>(group: T, from: number): T => {
      Object.keys(group).forEach((name, index) => {
        Object.assign(group, { [name]: from + index });
      });
      return group;
    };
    const counters = {
      engine: numbered(newEngineCounters(), 1000),
      total: numbered(newLinkCounters(), 2 ** 40),
      sockets: numbered(newSocketCounters(), 5),
    };
    const memory = CounterBoard.allocate();
    new CounterBoard(memory).publish(counters);
    expect(new CounterBoard(memory).read()).toEqual(counters);
  });
});

describe("the ledger of links", () => {
  const clear = {
    remote: parsePeerName("::2"),
    connectionUid: 1n,
    outbound: true,
    localIp: 1,
    remoteIp: 2,
    remotePort: 3,
    key: undefined,
  };
  const ciphered = { ...clear, key: new Uint8Array(32) };
  const secretsOf = (generation: number) => ({
    generation,
    send: new Uint8Array(32).fill(generation),
    receive: new Uint8Array(32).fill(generation + 100),
  });
  const rotating = { ...clear, secrets: secretsOf(0) };
  const noSecrets = () => undefined;

  test("brings links in clear to where they were", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, clear);
    ledger.prepared(2, clear);
    ledger.confirmed(2);
    ledger.prepared(3, clear);
    ledger.forget(3);
    ledger.established(2);
    ledger.heardAt(2, { ip: 5, port: 6 });
    const moved = { ...clear, heardAt: { ip: 5, port: 6 } };
    expect(ledger.restart(noSecrets)).toEqual({
      kept: [
        { kind: "prepare", link: 1, parameters: clear },
        { kind: "prepare", link: 2, parameters: moved },
        { kind: "confirm", link: 2 },
        { kind: "control", link: 2, tag: 1, body: new Uint8Array(0) },
      ],
      lost: [],
    });
  });

  test("says again what a peer takes", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, clear);
    ledger.limited(1, 1376);
    expect(ledger.restart(noSecrets).kept).toEqual([
      { kind: "prepare", link: 1, parameters: { ...clear, peerTakes: 1376 } },
    ]);
  });

  test("gives up keys that may have been used, and only those", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, ciphered);
    ledger.prepared(2, ciphered);
    ledger.confirmed(2);
    expect(ledger.restart(noSecrets)).toEqual({
      kept: [{ kind: "prepare", link: 1, parameters: ciphered }],
      lost: [2],
    });
    expect(ledger.restart(noSecrets).lost).toEqual([]);
    expect(ledger.established(2)).toBe(false);
  });

  test("gives links whose keys rotate to a new worker with secrets that no worker has had", () => {
    const ledger = new LinkLedger();
    for (const link of [1, 2, 3]) ledger.prepared(link, rotating);
    for (const link of [2, 3]) ledger.confirmed(link);
    ledger.renewed(2, secretsOf(4));
    const asked: number[] = [];
    const { kept, lost } = ledger.restart((link) => {
      asked.push(link);
      return link === 2 ? secretsOf(5) : undefined;
    });
    expect(asked).toEqual([2, 3]);
    expect(kept).toEqual([
      { kind: "prepare", link: 1, parameters: rotating },
      { kind: "prepare", link: 2, parameters: { ...rotating, secrets: secretsOf(5) } },
      { kind: "confirm", link: 2 },
    ]);
    expect(lost).toEqual([3]);
  });

  test("tells of a link's establishment once, also over several workers", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, clear);
    ledger.confirmed(1);
    expect(ledger.established(1)).toBe(true);
    ledger.restart(noSecrets);
    expect(ledger.established(1)).toBe(false);
    expect(ledger.established(9)).toBe(false);
  });
});
