import { beforeEach, describe, expect, test } from "bun:test";
import { FrameCluster, type FrameHost, macOf } from "./frame-cluster.ts";

const jumbo = { fastdp: true, mtu: 8950, discoversMtu: true };
const jumboFrame = 8964;

let cluster: FrameCluster;

/** By which overlay a frame of this length goes, if it arrives. */
function way(from: FrameHost, to: FrameHost, length: number): string {
  const [bySleeve, byTunnel] = [cluster.sleeveFrames.length, cluster.wire.packets.length];
  const got = cluster.sends(from, macOf(to), length);
  const ways = [
    ...cluster.wire.packets.slice(byTunnel).map(() => "tunnel"),
    ...cluster.sleeveFrames.slice(bySleeve).map(() => "sleeve"),
  ];
  expect(got).toEqual({ [to.number]: 1 });
  return ways.join(" ");
}

function connected(one: FrameHost, other: FrameHost): void {
  cluster.connect(one, other);
  cluster.clock.run(15_000);
  // Everybody knows where everybody is.
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    cluster.sends(from, macOf(to));
    expect(cluster.overlay(from, to)).toBe("fastdp");
  }
}

/** From now on the underlay carries inner packets of this size. */
function pathCarries(mtu: number): void {
  cluster.wire.loses = ({ frame }) => frame.length > 14 + mtu;
}

beforeEach(() => {
  cluster = new FrameCluster();
});

describe("two hosts that find out what the path carries", () => {
  let one: FrameHost;
  let two: FrameHost;
  beforeEach(() => {
    one = cluster.host(jumbo);
    two = cluster.host(jumbo);
    connected(one, two);
  });

  test("send jumbo frames through the tunnel", () => {
    expect(way(one, two, jumboFrame)).toBe("tunnel");
    expect(cluster.describe(one, two).attributes).toMatchObject({ mtu: 8950 });
  });

  test("give what does not fit any more to sleeve, until it fits again", () => {
    pathCarries(1350);
    cluster.clock.run(10_000);
    expect(way(one, two, jumboFrame)).toBe("sleeve");
    expect(way(two, one, 1365)).toBe("sleeve");
    expect(way(two, one, 1364)).toBe("tunnel");
    expect(cluster.overlay(one, two)).toBe("fastdp");
    expect(cluster.describe(two, one).attributes).toMatchObject({ mtu: 1350 });
    pathCarries(8950);
    cluster.clock.run(120_000);
    expect(way(one, two, jumboFrame)).toBe("tunnel");
  });

  test("know while a router is started anew what fits", () => {
    pathCarries(1350);
    cluster.clock.run(20_000);
    cluster.kill(one);
    one.start();
    expect(one.kernel!.neighbours.get(two.shortId!)?.mtu).toBe(1350);
    pathCarries(0);
    cluster.connect(one, two);
    cluster.clock.run(1000);
    // Nothing new has been found out.
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      expect(from.kernel!.neighbours.get(to.shortId!)?.mtu).toBe(1350);
    }
  });
});

describe("a host that finds out what the path carries", () => {
  for (const [what, kind] of [
    ["one of our kind that does not", { fastdp: true }],
    ["one of the original", { fastdp: true, ownKind: false }],
  ] as const) {
    test(`sends ${what} no larger packets than it takes`, () => {
      const one = cluster.host(jumbo);
      const other = cluster.host(kind);
      connected(one, other);
      expect(cluster.describe(one, other).attributes).toMatchObject({ mtu: 1376 });
      expect(way(one, other, 1390)).toBe("tunnel");
      expect(way(one, other, 1391)).toBe("sleeve");
      expect(way(other, one, 1390)).toBe("tunnel");
    });
  }

  test("uses a path that is too small for the original's heartbeats", () => {
    pathCarries(1350);
    const one = cluster.host(jumbo);
    const two = cluster.host(jumbo);
    connected(one, two);
    expect(way(one, two, 1364)).toBe("tunnel");
  });
});

test("a host that does not find out sends packets of any size through the tunnel", () => {
  const one = cluster.host({ fastdp: true, mtu: 8950 });
  const two = cluster.host(jumbo);
  connected(one, two);
  expect(way(one, two, jumboFrame)).toBe("tunnel");
});
