import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../../lib/base/errors.ts";
import { randomBelow } from "../../../lib/base/random.ts";
import { OverlayChooser } from "../../../lib/overlay/chooser.ts";
import { graceMs } from "../../../lib/overlay/fastdp/grace.ts";
import { noOverlay } from "../../../lib/overlay/no-overlay.ts";
import { broadcastMac, FrameCluster, macOf, unknownMac } from "./frame-cluster.ts";

const key = new Uint8Array(32).fill(1);
const original = { fastdp: true, ownKind: false };
const sleeveOnly = { fastdp: false };

function pair(kind = { fastdp: true, ownKind: true }) {
  const cluster = new FrameCluster();
  const a = cluster.host();
  const b = cluster.host(kind);
  const connection = cluster.connect(a, b);
  cluster.clock.run(3000);
  return { cluster, a, b, connection };
}

/** Loses everything on the VXLAN port between the two, in one direction or both. */
function cut({ cluster, a, b }: ReturnType<typeof pair>, ways: "both" | "a to b"): void {
  cluster.wire.loses = ({ from, to }) =>
    (from === a.ip && to === b.ip) || (ways === "both" && from === b.ip && to === a.ip);
}

function heal({ cluster }: ReturnType<typeof pair>): void {
  cluster.wire.loses = () => false;
}

describe("two hosts with a datapath", () => {
  test("reach each other through it, whoever dialled", () => {
    const { cluster, a, b } = pair();
    expect([cluster.overlay(a, b), cluster.overlay(b, a)]).toEqual(["fastdp", "fastdp"]);
    expect(cluster.reason(a, b)).toBe("fastdp: the peer acknowledges it");
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
    expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
    expect(cluster.sleeveFrames).toEqual([]);
    expect(cluster.wire.packets.map(({ vni }) => vni)).toEqual([
      101 | (102 << 12),
      102 | (101 << 12),
    ]);
  });

  test("use the port after that of the accepting side, in both directions", () => {
    const cluster = new FrameCluster();
    const a = cluster.host();
    const b = cluster.host({ fastdp: true, controlPort: 7000 });
    cluster.connect(a, b);
    cluster.clock.run(1000);
    cluster.sends(a, broadcastMac);
    cluster.sends(b, broadcastMac);
    expect(cluster.wire.packets.map(({ port }) => port)).toEqual([7001, 7001]);
  });

  test("never send in clear what is to be encrypted, and say why they use sleeve", () => {
    const cluster = new FrameCluster();
    const [a, b] = [cluster.host(), cluster.host()];
    cluster.connect(a, b, key);
    cluster.clock.run(60_000);
    expect(cluster.overlay(a, b)).toBe("sleeve");
    expect(cluster.reason(a, b)).toContain(
      "fastdp failed: frames to this peer are encrypted, which the datapath of this host cannot do",
    );
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
    expect(cluster.wire.packets).toEqual([]);
    expect(a.kernel!.neighbours.size).toBe(0);
  });

  test("take sleeve where they reach each other by IPv6, and say why", () => {
    const cluster = new FrameCluster();
    const [a, b] = [cluster.host(), cluster.host()];
    cluster.family = 6;
    cluster.connect(a, b);
    cluster.clock.run(60_000);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      expect(cluster.overlay(from, to)).toBe("sleeve");
      expect(cluster.reason(from, to)).toBe(
        "sleeve: the peer acknowledges it; fastdp failed: " +
          `the datapath's tunnels need an IPv4 underlay, not fd00::${to.ip.toString(16)}`,
      );
      expect(cluster.sends(from, broadcastMac)).toEqual({ [to.number]: 1 });
    }
    expect(cluster.wire.packets).toEqual([]);
  });

  test("send no more by tunnels to a peer that came back by IPv6, and again when by IPv4", () => {
    const { cluster, a, b, connection } = pair();
    cluster.disconnect(connection);
    cluster.family = 6;
    const second = cluster.connect(a, b);
    cluster.clock.run(3000);
    cluster.wire.packets.length = 0;
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
    expect(cluster.wire.packets).toEqual([]);
    cluster.disconnect(second);
    cluster.family = 4;
    cluster.connect(a, b);
    cluster.clock.run(3000);
    expect(cluster.overlay(a, b)).toBe("fastdp");
  });

  test("stop sending in clear at once when a new connection is to be encrypted", () => {
    const { cluster, a, b, connection } = pair();
    cluster.disconnect(connection);
    cluster.connect(a, b, key);
    cluster.wire.packets.length = 0;
    for (let i = 0; i < 20; i++) {
      cluster.sends(a, broadcastMac);
      cluster.clock.run(1000);
    }
    expect(cluster.wire.packets).toEqual([]);
  });

  test("take no frame from an address that is no neighbour's", () => {
    const { cluster, a, b } = pair();
    const stranger = { from: 0x0a0900ff, to: b.ip, port: 6784, vni: 101 | (102 << 12) };
    cluster.wire.send({ ...stranger, frame: new Uint8Array(60).fill(2) });
    cluster.clock.run(10);
    expect(b.delivered.length).toBe(0);
    expect(b.kernel!.drops).toEqual({ unknownSource: 1 });
    expect(a.delivered.length).toBe(0);
  });

  test("follow a neighbour that is heard at another address", () => {
    const { cluster, a, b } = pair(original);
    // Something between the two gives b's packets another source address.
    const elsewhere = 0x0a0900fe;
    const carry = cluster.wire.send.bind(cluster.wire);
    cluster.wire.send = (packet) =>
      carry(packet.from === b.ip ? { ...packet, from: elsewhere } : packet);
    cluster.clock.run(11_000);
    expect(a.kernel!.neighbours.get(102)?.remoteIp).toBe(elsewhere);
    expect(a.world.lines.join()).toContain("is heard at 10.9.0.254:6784, no longer 10.9.0.2:6784");
    expect(cluster.sends(b, broadcastMac)).toEqual({ 1: 1 });
  });

  test("follow a neighbour no more than once in a second, wherever it seems to be", () => {
    const { cluster, a, b } = pair();
    const carry = cluster.wire.send.bind(cluster.wire);
    cluster.wire.send = (packet) => {
      if (packet.from !== b.ip) return carry(packet);
      for (let n = 0; n < 50; n++) carry({ ...packet, from: 0x0a090064 + n });
    };
    cluster.clock.run(10_000);
    const moves = a.world.lines.filter((line) => line.includes("is heard at"));
    expect(moves.length).toBeGreaterThan(0);
    expect(moves.length).toBeLessThanOrEqual(11);
  });

  test("go on over sleeve when a datapath fails for good", () => {
    const { cluster, a, b } = pair();
    a.kernel!.fail(new WeaveError("DATAPATH_GONE", "the device vanished"));
    cluster.clock.run(100);
    expect(cluster.overlay(a, b)).toBe("sleeve");
    expect(cluster.reason(a, b)).toContain("fastdp failed: the device vanished");
  });
});

describe("when UDP to the VXLAN port is lost, frames take sleeve", () => {
  const cases = [
    ["between peers of our kind", { fastdp: true, ownKind: true }, "both", 2500],
    [
      "between peers of our kind, in one direction",
      { fastdp: true, ownKind: true },
      "a to b",
      2500,
    ],
    ["with a peer of the original", original, "both", 26_000],
  ] as const;
  for (const [what, kind, ways, withinMs] of cases) {
    test(`within ${withinMs / 1000} s ${what}, and fastdp again within 60 s`, () => {
      const net = pair(kind);
      const { cluster, a, b } = net;
      for (const brokenMs of [10_000, 40_000, 300_000]) {
        cut(net, ways);
        cluster.clock.runUntil(() => cluster.overlay(a, b) === "sleeve", withinMs);
        if (ways === "both")
          cluster.clock.runUntil(() => cluster.overlay(b, a) === "sleeve", withinMs);
        expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
        expect(cluster.reason(a, b)).toMatch(
          /fastdp: (heartbeats of the peer do not arrive|the peer does not get our heartbeats) any more/,
        );
        cluster.clock.run(brokenMs);
        heal(net);
        cluster.clock.runUntil(
          () => cluster.overlay(a, b) === "fastdp" && cluster.overlay(b, a) === "fastdp",
          60_000,
        );
        expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
        cluster.clock.run(20 * 60_000);
      }
    });
  }

  test("and come back at once from a single outage, with a peer of the original", () => {
    const net = pair(original);
    cut(net, "both");
    net.cluster.clock.run(60_000);
    heal(net);
    net.cluster.clock.runUntil(() => net.cluster.overlay(net.a, net.b) === "fastdp", 11_000);
  });

  test("rarely, when the path only works now and then", () => {
    const net = pair();
    const { cluster, a, b } = net;
    let changes = 0;
    let before = "fastdp";
    for (let second = 0; second < 1800; second++) {
      // Ten seconds of every minute nothing gets through.
      if (second % 60 === 0) cut(net, "both");
      if (second % 60 === 10) heal(net);
      cluster.clock.run(1000);
      const now = cluster.overlay(a, b);
      if (now !== before) changes++;
      before = now;
    }
    // Once there and back in a minute: never more often than the path itself changes.
    expect(changes).toBeLessThanOrEqual(60);
  });

  test("hardly ever, when every tenth packet is lost", () => {
    const net = pair();
    const { cluster, a, b } = net;
    cluster.wire.loses = () => randomBelow(a.world.random, 10) === 0;
    let sleeveSeconds = 0;
    for (let second = 0; second < 1800; second++) {
      cluster.clock.run(1000);
      if (cluster.overlay(a, b) !== "fastdp") sleeveSeconds++;
    }
    expect(sleeveSeconds).toBeLessThan(20);
  });

  test("also when only long packets are lost, after 26 s", () => {
    const net = pair();
    const { cluster, a, b } = net;
    cluster.wire.loses = ({ frame }) => frame.length > 1300;
    cluster.clock.runUntil(() => cluster.overlay(a, b) === "sleeve", 26_000);
    heal(net);
    cluster.clock.runUntil(() => cluster.overlay(a, b) === "fastdp", 60_000);
  });

  test("from the beginning, where long packets never get through", () => {
    const cluster = new FrameCluster();
    const [a, b] = [cluster.host(), cluster.host()];
    cluster.wire.loses = ({ frame }) => frame.length > 1300;
    cluster.connect(a, b);
    cluster.clock.run(60_000);
    expect(cluster.overlay(a, b)).toBe("sleeve");
    expect(cluster.reason(a, b)).toBe(
      "sleeve: the peer acknowledges it; fastdp: no heartbeat gets through",
    );
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
  });
});

test("a router that hangs costs no frame, and flaps with nobody when it goes on", () => {
  const { cluster, a, b } = pair();
  for (const host of [a, b]) cluster.sends(host, broadcastMac);
  cluster.wire.loses = ({ frame }) => frame[12] === 0 && frame[13] === 0;
  cluster.delays = { ...cluster.delays, control: () => 30_000 };
  const speakFor = (seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
      expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
      cluster.clock.run(900);
    }
  };
  speakFor(28);
  expect(cluster.reason(a, b)).toContain("fastdp: the peer's router does not answer");
  cluster.wire.loses = () => false;
  cluster.delays = { ...cluster.delays, control: () => 1 };
  speakFor(60);
  expect([cluster.reason(a, b), cluster.reason(b, a)]).toEqual([
    "fastdp: the peer acknowledges it",
    "fastdp: the peer acknowledges it",
  ]);
  expect(cluster.sleeveFrames).toEqual([]);
});

describe("a router that dies and comes back", () => {
  test("costs no frame: its kernel forwards, and so do the others", () => {
    const cluster = new FrameCluster();
    const [a, b, c] = [cluster.host(), cluster.host(), cluster.host()];
    cluster.connect(a, b);
    cluster.connect(b, c);
    cluster.clock.run(3000);
    for (const host of [a, b, c]) cluster.sends(host, broadcastMac);
    const everybodyReachesEverybody = (): void => {
      expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
      expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
      expect(cluster.sends(a, macOf(c))).toEqual({ 3: 1 });
      expect(cluster.sends(c, broadcastMac)).toEqual({ 1: 1, 2: 1 });
      expect(cluster.sends(b, broadcastMac)).toEqual({ 1: 1, 3: 1 });
    };
    everybodyReachesEverybody();
    cluster.kill(b);
    for (let i = 0; i < 5; i++) everybodyReachesEverybody();
    b.start();
    cluster.announce();
    for (let i = 0; i < 5; i++) everybodyReachesEverybody();
    cluster.connect(b, a);
    for (let i = 0; i < 5; i++) everybodyReachesEverybody();
    cluster.connect(b, c);
    for (let i = 0; i < 10; i++) everybodyReachesEverybody();
    cluster.clock.run(60_000);
    everybodyReachesEverybody();
    expect(cluster.sleeveFrames.length).toBeLessThan(50);
  });

  test("costs no frame when it tells its short id later than who it is", () => {
    const { cluster, a, b, connection } = pair();
    for (const host of [a, b]) cluster.sends(host, broadcastMac);
    const shortId = b.shortId;
    cluster.kill(b);
    b.shortId = undefined;
    b.start();
    cluster.announce();
    expect(connection.open).toBe(false);
    cluster.connect(b, a);
    for (let i = 0; i < 20; i++) {
      if (i === 10) b.shortId = shortId;
      cluster.announce();
      expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
      expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
    }
    expect(cluster.sleeveFrames).toEqual([]);
  });

  test("costs no frame when sleeve is established before fastdp, and routes come later still", () => {
    const { cluster, a, b } = pair();
    for (const host of [a, b]) cluster.sends(host, broadcastMac);
    cluster.kill(b);
    b.start();
    cluster.announce();
    cluster.delays = { ...cluster.delays, routes: () => 400 };
    const isHeartbeat = (frame: Uint8Array) => frame[12] === 0 && frame[13] === 0;
    let isDeaf = true;
    cluster.wire.loses = ({ frame }) => isDeaf && isHeartbeat(frame);
    cluster.connect(b, a);
    for (let i = 0; i < 30; i++) {
      isDeaf = i < 15;
      expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
      expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
    }
    expect([cluster.overlay(a, b), cluster.overlay(b, a)]).toEqual(["fastdp", "fastdp"]);
    expect(cluster.sleeveFrames).toEqual([]);
  });

  test("is reached by sleeve within 5 s when VXLAN does not get through any more", () => {
    const net = pair();
    const { cluster, a, b } = net;
    for (const host of [a, b]) cluster.sends(host, broadcastMac);
    cluster.kill(b);
    b.start();
    cluster.announce();
    cut(net, "both");
    cluster.connect(b, a);
    cluster.clock.run(5000);
    expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
    expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
  });

  test("without its datapath gets frames by sleeve at once", () => {
    const cluster = new FrameCluster();
    const [a, b] = [cluster.host(), cluster.host()];
    cluster.connect(a, b);
    cluster.clock.run(3000);
    cluster.sends(b, broadcastMac);
    cluster.kill(b);
    b.fastdp = undefined;
    b.chooser = new OverlayChooser({ engines: [noOverlay("sleeve")], log: b.world.log });
    cluster.connect(a, b);
    cluster.clock.run(100);
    cluster.wire.packets.length = 0;
    cluster.sends(a, macOf(b));
    expect(cluster.wire.packets).toEqual([]);
    expect(cluster.sleeveFrames).toEqual(["1>2"]);
  });

  test("and one that does not is forgotten after its grace", () => {
    const { cluster, a, b, connection } = pair();
    cluster.sends(b, broadcastMac);
    cluster.disconnect(connection);
    cluster.kill(b);
    cluster.hosts.pop();
    cluster.announce();
    cluster.clock.run(graceMs - 1000);
    expect(a.kernel!.hops.has(102)).toBe(true);
    cluster.clock.run(2000);
    expect(a.kernel!.hops.size).toBe(0);
    expect(a.kernel!.neighbours.size).toBe(0);
    expect(a.fastdp!.status().macs).toEqual([]);
    expect(a.world.timers).toBe(0);
  });
});

describe("short ids", () => {
  test("that two peers have mean the one with the lower name, until the other has changed", () => {
    const cluster = new FrameCluster();
    const [a, b, c] = [cluster.host(), cluster.host(), cluster.host()];
    c.shortId = b.shortId;
    cluster.connect(a, b);
    cluster.connect(a, c);
    cluster.clock.run(5000);
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1 });
    c.shortId = 77;
    cluster.announce();
    cluster.clock.run(5000);
    expect(cluster.sends(a, broadcastMac)).toEqual({ 2: 1, 3: 1 });
    expect(cluster.sends(c, macOf(a))).toEqual({ 1: 1 });
    expect([cluster.overlay(a, c), cluster.overlay(c, a)]).toEqual(["fastdp", "fastdp"]);
  });

  test("of our own that change are used at once", () => {
    const { cluster, a, b } = pair();
    cluster.sends(a, broadcastMac);
    a.shortId = 55;
    cluster.announce();
    expect(a.kernel!.self).toBe(55);
    cluster.clock.run(20_000);
    expect(cluster.sends(b, macOf(a))).toEqual({ 1: 1 });
    expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
    expect(cluster.overlay(b, a)).toBe("fastdp");
  });
});

describe("hosts of several kinds", () => {
  const kinds = [{ fastdp: true }, original, sleeveOnly] as const;
  const shapes: Record<string, (n: number) => [number, number][]> = {
    "a full mesh": (n) => range(n).flatMap((i) => range(i).map((j): [number, number] => [j, i])),
    "a chain": (n) => range(n - 1).map((i) => [i, i + 1]),
    "a ring": (n) => range(n).map((i) => [i, (i + 1) % n]),
    "a star": (n) => range(n - 1).map((i) => [0, i + 1]),
  };
  for (const [shape, links] of Object.entries(shapes)) {
    for (const n of [3, 5, 8]) {
      test(`get each flooded frame once in ${shape} of ${n}, and reach each other`, () => {
        for (let mixture = 0; mixture < 4; mixture++) {
          const cluster = new FrameCluster();
          for (let i = 0; i < n; i++) cluster.host(kinds[(i * mixture + (i >> 1)) % 3]!);
          for (const [i, j] of links(n)) cluster.connect(cluster.hosts[i]!, cluster.hosts[j]!);
          cluster.clock.run(5000);
          for (const from of cluster.hosts) {
            const others = cluster.hosts.filter((host) => host !== from);
            const once = Object.fromEntries(others.map(({ number }) => [number, 1]));
            expect(cluster.sends(from, broadcastMac)).toEqual(once);
            expect(cluster.sends(from, unknownMac)).toEqual(once);
          }
          for (const from of cluster.hosts) {
            for (const to of cluster.hosts) {
              if (from === to) continue;
              expect(cluster.sends(from, macOf(to))).toEqual({ [to.number]: 1 });
            }
          }
        }
      });
    }
  }

  test("lose nothing while a neighbour changes overlay", () => {
    const net = pair();
    const { cluster, a, b } = net;
    cluster.sends(a, broadcastMac);
    cluster.sends(b, broadcastMac);
    // Heartbeats alone are lost.
    const isHeartbeat = (frame: Uint8Array) => frame[12] === 0 && frame[13] === 0;
    cluster.wire.loses = ({ frame }) => isHeartbeat(frame);
    for (let i = 0; i < 200; i++) expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
    expect(cluster.overlay(a, b)).toBe("sleeve");
    heal(net);
    for (let i = 0; i < 400; i++) expect(cluster.sends(a, macOf(b))).toEqual({ 2: 1 });
    expect(cluster.overlay(a, b)).toBe("fastdp");
  });
});

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
