import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { noPeer, type PeerName } from "../../lib/base/peer-name.ts";
import type { RoutesSnapshot } from "../../lib/base/routes-snapshot.ts";
import { FrameRouter } from "../../lib/overlay/frame-router.ts";
import { MacTable } from "../../lib/overlay/mac-table.ts";
import { writeMac } from "../../lib/wire/ethernet.ts";

const [a, b, c] = [0xa, 0xb, 0xc] as PeerName[] as [PeerName, PeerName, PeerName];
const broadcastMac = 0xffffffffffff;

function snapshot(peers: PeerName[], links: [PeerName, PeerName][]): RoutesSnapshot {
  return {
    peers: peers.map((name) => ({ name, nickname: "", shortId: undefined })),
    links,
  };
}

const line = snapshot(
  [a, b, c],
  [
    [b, a],
    [b, c],
  ],
);

function frame(destination: number, source: number): Uint8Array {
  const bytes = new Uint8Array(60);
  writeMac(bytes, 0, destination);
  writeMac(bytes, 6, source);
  bytes[12] = 8;
  return bytes;
}

function router(local: PeerName, topology = line): { router: FrameRouter; macs: MacTable } {
  const macs = new MacTable({ local });
  const made = new FrameRouter(local, macs);
  made.setTopology(topology);
  return { router: made, macs };
}

describe("a captured frame", () => {
  test("for everybody is flooded from us, each copy for its next hop", () => {
    const verdict = router(b).router.captured(frame(broadcastMac, 1), 0, 0);
    expect(verdict).toMatchObject({ broadcast: true, inject: false, source: b, hops: [a, c] });
  });

  test("for an unknown address is flooded", () => {
    expect(router(a).router.captured(frame(2, 1), 0, 0)).toMatchObject({
      broadcast: true,
      hops: [b],
    });
  });

  test("for an address at a distant peer takes the next hop, and says whom it is for", () => {
    const { router: at, macs } = router(a);
    macs.learnReceived(2, c, 0);
    expect(at.captured(frame(2, 1), 0, 0)).toMatchObject({
      broadcast: false,
      source: a,
      destination: c,
      hops: [b],
    });
  });

  test("between two containers of ours has been delivered by the bridge", () => {
    const { router: at, macs } = router(a);
    macs.learnCaptured(2, 0);
    expect(at.captured(frame(2, 1), 0, 0)).toMatchObject({ drop: "destinationLocal", hops: [] });
  });

  test("of the spanning tree stays here, other link-local groups travel", () => {
    const { router: at } = router(a);
    expect(at.captured(frame(0x0180c2000000, 1), 0, 0).drop).toBe("spanningTree");
    expect(at.captured(frame(0x0180c200000e, 1), 0, 0).drop).toBeUndefined();
  });

  test("whose sender is heard at another peer is discarded", () => {
    const { router: at, macs } = router(a);
    macs.learnReceived(1, b, 0);
    expect(at.captured(frame(2, 1), 0, 0)).toMatchObject({ drop: "macConflict", hops: [] });
  });

  test("for a peer without a route is dropped", () => {
    const { router: at, macs } = router(a, snapshot([a, b, c], [[a, b]]));
    macs.learnReceived(2, c, 0);
    expect(at.captured(frame(2, 1), 0, 0).drop).toBe("noRoute");
  });

  test("is read where it lies in the buffer", () => {
    const { router: at, macs } = router(a);
    const buffer = new Uint8Array(100);
    buffer.set(frame(2, 1), 33);
    at.captured(buffer, 33, 0);
    expect(macs.list().map((entry) => entry.mac)).toEqual([1]);
  });
});

describe("a received frame", () => {
  const fromA = { source: a, destination: b, via: a };

  test("for a container of ours is injected and goes no further", () => {
    const { router: at, macs } = router(b);
    macs.learnCaptured(2, 0);
    expect(at.received(frame(2, 1), 0, fromA, 0)).toMatchObject({ inject: true, hops: [] });
    expect(macs.lookup(1)).toBe(a);
  });

  test("for everybody is injected and passed on from its source", () => {
    expect(router(b).router.received(frame(broadcastMac, 1), 0, fromA, 0)).toMatchObject({
      inject: true,
      broadcast: true,
      source: a,
      hops: [c],
    });
  });

  test("whose address is not known to be here is passed on as well", () => {
    expect(router(b).router.received(frame(2, 1), 0, fromA, 0)).toMatchObject({
      inject: true,
      hops: [c],
    });
  });

  test("for another peer is relayed unchanged, and nothing is learned from it", () => {
    const { router: at, macs } = router(b);
    const verdict = at.received(frame(2, 1), 0, { source: a, destination: c, via: a }, 0);
    expect(verdict).toMatchObject({
      inject: false,
      broadcast: false,
      source: a,
      destination: c,
      hops: [c],
    });
    expect(macs.size).toBe(0);
  });

  test("is not sent back to the neighbour it came from", () => {
    const { router: at } = router(b);
    const back = { source: a, destination: c, via: c };
    expect(at.received(frame(2, 1), 0, back, 0)).toMatchObject({ drop: "wouldReturn", hops: [] });
  });

  test("is not flooded back there either, however views disagree", () => {
    const back = { source: a, destination: b, via: c };
    expect(router(b).router.received(frame(broadcastMac, 1), 0, back, 0)).toMatchObject({
      inject: true,
      hops: [],
    });
  });

  test("that we made ourselves finds its way like any other", () => {
    const made = { source: c, destination: a, via: noPeer };
    expect(router(b).router.received(frame(2, 1), 0, made, 0)).toMatchObject({ hops: [a] });
  });
});

describe("a new topology", () => {
  test("changes every route and every broadcast tree", () => {
    const { router: at } = router(b);
    expect(at.broadcastHops(a)).toEqual([c]);
    at.setTopology(snapshot([a, b, c], [[a, b]]));
    expect(at.broadcastHops(a)).toEqual([]);
    expect(at.nextHop(c)).toBeUndefined();
  });

  test("without a peer forgets its addresses", () => {
    const { router: at, macs } = router(b);
    macs.learnReceived(1, a, 0);
    macs.learnReceived(2, c, 0);
    at.setTopology(snapshot([b, c], [[b, c]]));
    expect(macs.list().map((entry) => entry.mac)).toEqual([2]);
    expect(at.knows(a)).toBe(false);
    expect(at.knows(b)).toBe(true);
  });
});

test("on any topology a broadcast reaches every reachable peer exactly once", () => {
  const peers = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 48 - 1 }), {
    minLength: 2,
    maxLength: 9,
  });
  fc.assert(
    fc.property(peers, fc.infiniteStream(fc.nat(3)), (numbers, dice) => {
      const names = numbers as PeerName[];
      const links = names.flatMap((from, i) =>
        names
          .slice(i + 1)
          .filter(() => dice.next().value === 0)
          .map((to): [PeerName, PeerName] => [from, to]),
      );
      const topology = snapshot(names, links);
      const routers = new Map(names.map((name) => [name, router(name, topology).router]));
      const origin = names[0]!;
      const seen = new Map<PeerName, number>();
      const waiting = [...routers.get(origin)!.captured(frame(broadcastMac, 1), 0, 0).hops].map(
        (to) => ({ to, via: origin }),
      );
      for (let copy = waiting.pop(); copy !== undefined; copy = waiting.pop()) {
        const { to, via } = copy;
        seen.set(to, (seen.get(to) ?? 0) + 1);
        const route = { source: origin, destination: to, via };
        const { hops } = routers.get(to)!.received(frame(broadcastMac, 1), 0, route, 0);
        waiting.push(...hops.map((next) => ({ to: next, via: to })));
      }
      const reachable = names.filter((name) => routers.get(origin)!.nextHop(name) !== undefined);
      expect([...seen.keys()].sort()).toEqual(reachable.sort());
      expect([...seen.values()].every((times) => times === 1)).toBe(true);
    }),
    { seed: 1, numRuns: 300 },
  );
});
