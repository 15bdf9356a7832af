import { describe, expect, test } from "bun:test";
import { parsePeerName } from "../../../lib/base/peer-name.ts";
import { CounterBoard, newSocketCounters } from "../../../lib/host/dataplane/counter-board.ts";
import { LinkLedger } from "../../../lib/host/dataplane/link-ledger.ts";
import {
  LinkTallies,
  TrafficBoard,
  trafficLinksMax,
} from "../../../lib/host/dataplane/traffic-board.ts";
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

describe("what links have carried, in shared memory", () => {
  const carried = (framesOut: number, framesIn = 0) => ({
    ...newLinkCounters(),
    ...{ framesOut, frameOctetsOut: 100 * framesOut, framesIn, frameOctetsIn: 2 ** 40 + framesIn },
  });
  const traffic = (sentPackets: number, receivedPackets = 0) => ({
    ...{ sentPackets, sentBytes: 100 * sentPackets },
    ...{ receivedPackets, receivedBytes: 2 ** 40 + receivedPackets },
  });

  test("is read by link, whichever links come and go", () => {
    const memory = TrafficBoard.allocate();
    const [writer, reader] = [new TrafficBoard(memory), new TrafficBoard(memory)];
    const links = new Map([1, 2, 7].map((link) => [link, carried(link, 3)]));
    writer.publish(links);
    expect(reader.read(7)).toEqual(traffic(7, 3));
    links.delete(1);
    writer.publish(links);
    expect(reader.read(1)).toBe(undefined);
    expect([...reader.readAll()]).toEqual([2, 7].map((link) => [link, traffic(link, 3)]));
  });

  test("is told of no more links than there is room for", () => {
    const board = new TrafficBoard(TrafficBoard.allocate());
    const links = Array.from({ length: trafficLinksMax + 2 }, (_, link) => link);
    board.publish(new Map(links.map((link) => [link, carried(link)])));
    expect(board.readAll().size).toBe(trafficLinksMax);
    expect(board.read(trafficLinksMax - 1)).toEqual(traffic(trafficLinksMax - 1));
    expect(board.read(trafficLinksMax)).toBe(undefined);
  });

  test("is nothing while it is being written", () => {
    const memory = TrafficBoard.allocate();
    const board = new TrafficBoard(memory);
    board.publish(new Map([[1, carried(1)]]));
    new Int32Array(memory)[0]!++;
    expect(board.read(1)).toBe(undefined);
  });

  test("is told again after a worker was ended as it wrote", () => {
    const tallies = new LinkTallies();
    new Int32Array(tallies.memory)[0]!++;
    tallies.workerEnded();
    new TrafficBoard(tallies.memory).publish(new Map([[1, carried(1)]]));
    expect(tallies.of(1)).toEqual(traffic(1));
  });

  test("goes on from where it was when another worker begins at zero", () => {
    const tallies = new LinkTallies();
    const worker = new TrafficBoard(tallies.memory);
    worker.publish(new Map([[1, carried(5, 2)]]));
    tallies.workerEnded();
    expect(tallies.of(1)).toEqual(traffic(5, 2));
    worker.publish(new Map([[1, carried(1)]]));
    expect(tallies.of(1)?.sentPackets).toBe(6);
    tallies.forget(1);
    expect(tallies.of(1)).toEqual(traffic(1));
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
