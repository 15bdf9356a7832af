import { describe, expect, test } from "bun:test";
import { formatPeerName, noPeer, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { type RoutesSnapshot, snapshotGraph } from "../../lib/base/routes-snapshot.ts";
import type { PeerRecord } from "../../lib/mesh/peer-record.ts";
import { Peers } from "../../lib/mesh/peers.ts";
import { gossipFanout, randomNeighbours } from "../../lib/mesh/random-neighbours.ts";
import { Routes, RouteTables } from "../../lib/mesh/routes.ts";
import { claimedGraph, establishedGraph, takeSnapshot } from "../../lib/mesh/topology-graph.ts";
import { loneWorld } from "../sim/world.ts";
import vectors from "../vectors/mesh/routes.json";
import { nameOf, sketch } from "./records.ts";

type Topology = (typeof vectors.topologies)[number];

function recordsOf(topology: Topology): PeerRecord[] {
  return topology.peers.map((name) => ({
    name: parsePeerName(name),
    nickname: "",
    uid: 1n,
    version: 1n,
    shortId: undefined,
    links: new Map(
      topology.connections
        .filter(({ from }) => from === name)
        .map(({ to, established }) => [
          parsePeerName(to),
          { address: "10.0.0.1:6783", outbound: true, established },
        ]),
    ),
  }));
}

function peersOf(topology: Topology, self: string): Peers {
  const records = recordsOf(topology);
  const peers = new Peers(records.find(({ name }) => name === parsePeerName(self))!);
  peers.apply(records);
  return peers;
}

type UnicastTable = Record<string, string | undefined>;
type BroadcastTable = Record<string, readonly string[] | undefined>;

function expectTables(tables: RouteTables, unicast: UnicastTable, broadcast: BroadcastTable) {
  const routes = [...tables.unicast].map(([to, hop]) => [formatPeerName(to), formatPeerName(hop)]);
  expect(Object.fromEntries(routes)).toEqual(unicast);
  for (const [source, hops] of Object.entries(broadcast)) {
    const ours = tables.broadcast(parsePeerName(source)).map(formatPeerName);
    expect(ours.sort()).toEqual([...hops!].sort());
  }
}

describe("routes", () => {
  for (const topology of vectors.topologies) {
    test(`of every peer in "${topology.name}" are those of the original`, () => {
      for (const view of topology.views) {
        const peers = peersOf(topology, view.self);
        const self = parsePeerName(view.self);
        expectTables(new RouteTables(establishedGraph(peers), self), view.unicast, view.broadcast);
        expectTables(
          new RouteTables(claimedGraph(peers), self),
          view.unicastAll,
          view.broadcastAll,
        );
        expectTables(
          new RouteTables(snapshotGraph(takeSnapshot(peers)), self),
          view.unicast,
          view.broadcast,
        );
      }
    });

    test(`carry each broadcast in "${topology.name}" to everybody once`, () => {
      const tables = new Map(
        topology.peers.map((name) => {
          const self = parsePeerName(name);
          return [self, new RouteTables(establishedGraph(peersOf(topology, name)), self)];
        }),
      );
      for (const [origin, { unicast }] of tables) {
        const received: PeerName[] = [origin];
        for (const peer of received) received.push(...tables.get(peer)!.broadcast(origin));
        expect(received.sort((a, b) => a - b)).toEqual([...unicast.keys()].sort((a, b) => a - b));
      }
    });
  }

  test("of an unknown origin lead nowhere", () => {
    const peers = new Peers(sketch({ n: 1, links: [[2]] }));
    peers.apply([sketch({ n: 2, links: [[1]] })]);
    expect(new RouteTables(claimedGraph(peers), nameOf(1)).broadcast(nameOf(9))).toEqual([]);
  });
});

describe("route calculation", () => {
  function watched() {
    const { world, clock } = loneWorld();
    const peers = new Peers(sketch({ n: 1, links: [[2]] }));
    const snapshots: RoutesSnapshot[] = [];
    const routes = new Routes(world, peers, (snapshot) => snapshots.push(snapshot));
    return { world, clock, peers, routes, snapshots };
  }

  test("is told to the data plane once for all changes within 100 ms", () => {
    const { clock, routes, snapshots, peers } = watched();
    for (let change = 0; change < 10; change++) {
      clock.run(9);
      peers.apply([sketch({ n: 2, version: BigInt(change + 2), links: [[1]] })]);
      routes.request();
    }
    expect(snapshots.length).toBe(0);
    clock.run(100);
    expect(snapshots.length).toBe(1);
    expect(snapshots[0]).toEqual({
      peers: [
        { name: nameOf(1), nickname: "host1", shortId: 1 },
        { name: nameOf(2), nickname: "host2", shortId: 2 },
      ],
      links: [[nameOf(1), nameOf(2)]],
    });
  });

  test("is told ever less often while the topology goes on changing, and as soon as ever after", () => {
    const { clock, routes, snapshots, peers } = watched();
    const toldAt: number[] = [];
    let version = 1n;
    const changeFor = (ms: number) => {
      for (let at = 0; at < ms; at += 10) {
        const links: [number][] = snapshots.length % 2 === 0 ? [[1]] : [];
        peers.apply([sketch({ n: 2, version: ++version, links })]);
        routes.request();
        const before = snapshots.length;
        clock.run(10);
        if (snapshots.length > before) toldAt.push(at + 10);
      }
    };
    changeFor(2000);
    expect(toldAt).toEqual([100, 300, 700, 1100, 1500, 1900]);
    clock.run(1000);
    toldAt.length = 0;
    changeFor(100);
    expect(toldAt).toEqual([100]);
  });

  test("happens at once when somebody is about to choose by it", () => {
    const { routes, peers } = watched();
    expect(routes.established.unicast.has(nameOf(2))).toBe(false);
    peers.apply([sketch({ n: 2, links: [[1]] })]);
    routes.request();
    expect(routes.established.unicast.get(nameOf(2))).toBe(nameOf(2));
    expect(routes.claimed.broadcast(nameOf(1))).toEqual([nameOf(2)]);
  });

  test("tells the data plane nothing when nothing changed for it", () => {
    const { clock, routes, peers, snapshots } = watched();
    const pending = { established: false };
    peers.apply([sketch({ n: 2, links: [[1], [3, pending]] }), sketch({ n: 3, links: [] })]);
    routes.request();
    clock.run(100);
    peers.apply([sketch({ n: 3, version: 2n, links: [[2, pending]] })]);
    routes.request();
    clock.run(100);
    expect(snapshots.length).toBe(1);
    expect(routes.claimed.unicast.get(nameOf(3))).toBe(nameOf(2));
  });

  test("leaves no timer when stopped", () => {
    const { world, routes } = watched();
    routes.request();
    routes.stop();
    expect(world.timers).toBe(0);
  });
});

describe("a round of gossip", () => {
  test("goes to as many neighbours as the original's", () => {
    for (const round of vectors.randomNeighbourCount.cases) {
      expect(gossipFanout(round.peersInTable, round.distinctNextHops)).toBe(round.chosen);
    }
  });

  test("never goes to us, to one neighbour twice, or to those excepted", () => {
    const unicast = new Map<PeerName, PeerName>([[nameOf(1), noPeer]]);
    for (let n = 2; n <= 30; n++) unicast.set(nameOf(n), nameOf((n % 8) + 2));
    const except = new Set([nameOf(3), nameOf(5)]);
    const random = seededRandom(1);
    for (let round = 0; round < 200; round++) {
      const chosen = randomNeighbours(unicast, except, random);
      expect(chosen.length).toBe(6);
      expect(new Set(chosen).size).toBe(6);
      for (const name of chosen) expect(except.has(name) || name === nameOf(1)).toBe(false);
    }
  });

  test("prefers neighbours that lead to many peers", () => {
    const unicast = new Map<PeerName, PeerName>([[nameOf(1), noPeer]]);
    // Neighbour 2 leads to 30 of 50 peers; the other 20 are neighbours themselves.
    for (let n = 2; n <= 51; n++) unicast.set(nameOf(n), n <= 31 ? nameOf(2) : nameOf(n));
    const random = seededRandom(1);
    let chosen = 0;
    for (let round = 0; round < 100; round++) {
      if (randomNeighbours(unicast, new Set(), random).includes(nameOf(2))) chosen++;
    }
    expect(chosen).toBeGreaterThan(97);
  });
});

test("of peers without links nothing is remembered, however many are named", () => {
  const peers = new Peers(sketch({ n: 1, links: [[2]] }));
  peers.apply([sketch({ n: 2, links: [[1]] })]);
  const graph = claimedGraph(peers);
  const asked: PeerName[] = [];
  const neighbours = (peer: PeerName) => {
    asked.push(peer);
    return graph.neighbours(peer);
  };
  const tables = new RouteTables({ neighbours }, nameOf(1));
  const walks = (origin: number): number => {
    tables.broadcast(nameOf(origin));
    asked.length = 0;
    expect(tables.broadcast(nameOf(origin))).toEqual([]);
    return asked.length;
  };
  expect(walks(2)).toBe(0);
  expect(walks(9)).toBeGreaterThan(0);
});
