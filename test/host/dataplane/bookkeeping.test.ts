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

  test("brings links in clear to where they were", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, clear);
    ledger.prepared(2, clear);
    ledger.confirmed(2);
    ledger.prepared(3, clear);
    ledger.forget(3);
    expect(ledger.restart()).toEqual({
      kept: [
        { kind: "prepare", link: 1, parameters: clear },
        { kind: "prepare", link: 2, parameters: clear },
        { kind: "confirm", link: 2 },
      ],
      lost: [],
    });
  });

  test("gives up keys that may have been used, and only those", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, ciphered);
    ledger.prepared(2, ciphered);
    ledger.confirmed(2);
    expect(ledger.restart()).toEqual({
      kept: [{ kind: "prepare", link: 1, parameters: ciphered }],
      lost: [2],
    });
    expect(ledger.restart().lost).toEqual([]);
    expect(ledger.established(2)).toBe(false);
  });

  test("tells of a link's establishment once, also over several workers", () => {
    const ledger = new LinkLedger();
    ledger.prepared(1, clear);
    ledger.confirmed(1);
    expect(ledger.established(1)).toBe(true);
    ledger.restart();
    expect(ledger.established(1)).toBe(false);
    expect(ledger.established(9)).toBe(false);
  });
});
