import { describe, expect, test } from "bun:test";
import { utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { parseCidr } from "../../lib/base/ip.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import type { Mesh } from "../../lib/mesh/mesh.ts";
import { firstShortIdWaitMs } from "../../lib/mesh/topology.ts";
import { silenceMaxMs, type Transport } from "../../lib/mesh/transport.ts";
import {
  ipOf,
  MeshCluster,
  type MeshPeer,
  type MeshPeerOptions,
  simName,
} from "../sim/mesh-peer.ts";
import type { WordChannel } from "../sim/word-channel.ts";
import { withSeed } from "../sim/world.ts";
import routeVectors from "../vectors/mesh/routes.json";

const minutes = 60_000;
const channel = "words";

function wordsOf(peer: MeshPeer): WordChannel {
  return peer.channels.get(channel)!;
}

/** Peers 1 … `size`, all knowing only peer 1, with one channel each. */
function cluster(seed: number, size: number, options: MeshPeerOptions = {}): MeshCluster {
  const made = new MeshCluster(seed, { channels: [channel], ...options });
  for (let n = 1; n <= size; n++) made.start(n, n === 1 ? [] : [ipOf(1)]);
  return made;
}

/** Peers in a row, each connected to the next and nobody else. */
function line(seed: number, size: number, options: MeshPeerOptions = {}): MeshCluster {
  const made = new MeshCluster(seed, { channels: [channel], discovery: false, ...options });
  for (let n = 1; n <= size; n++) made.start(n, n === 1 ? [] : [ipOf(n - 1)]);
  made.clock.runUntil(() => made.isConnected(), 30_000);
  return made;
}

function connections({ mesh }: MeshPeer) {
  return mesh.status().connections;
}

function established(peer: MeshPeer): number {
  return connections(peer).filter(({ state }) => state === "established").length;
}

describe("two peers", () => {
  test("connect, establish and know each other's records within two seconds", () => {
    const two = cluster(1, 2);
    two.clock.runUntil(() => two.isFullMesh(), 1500);
    two.clock.run(firstShortIdWaitMs + 100);
    for (const { mesh } of two.peers) {
      const { peers, unicastRoutes, targets, terminationCount } = mesh.status();
      expect(peers.map(({ name, nickname }) => `${name} ${nickname}`)).toEqual([
        "01:00:00:01:00:00 host1",
        "02:00:00:02:00:00 host2",
      ]);
      expect(new Set(peers.map(({ shortId }) => shortId)).size).toBe(2);
      expect(peers.every(({ connections: [link] }) => link!.established)).toBe(true);
      expect(unicastRoutes.length).toBe(2);
      expect(targets).toEqual(mesh === two.peer(1).mesh ? [] : ["10.0.0.1"]);
      expect(terminationCount).toBe(0);
    }
    expect(connections(two.peer(2))[0]).toMatchObject({
      address: "10.0.0.1:6783",
      outbound: true,
      state: "established",
      info: "sleeve 01:00:00:01:00:00(host1)",
    });
  });

  test("route frames to each other as soon as both call the link established", () => {
    const two = cluster(1, 2);
    expect(two.clock.runUntil(() => two.isConnected(), 2000)).toBeLessThan(300);
  });

  test("see the link pending while the overlay is not established, and route no packets", () => {
    const two = cluster(1, 2, { overlayDelayMs: Number.POSITIVE_INFINITY });
    two.clock.run(60_000);
    expect(connections(two.peer(1))[0]!.state).toBe("pending");
    expect(two.peer(1).mesh.status().unicastRoutes.length).toBe(1);
    expect(two.peer(1).mesh.canReach(simName(2))).toBe(true);
  });

  test("share a password: sealed, unless both trust the network", () => {
    const password = utf8("a long and random password");
    for (const [one, other, info] of [
      [[], [], "encrypted   sleeve"],
      [["10.0.0.0/24"], [], "encrypted   sleeve"],
      [["10.0.0.0/24"], ["10.0.0.0/8"], "unencrypted sleeve"],
    ] as const) {
      const two = new MeshCluster(1, { password });
      two.start(1, [], { trustedSubnets: one.map(parseCidr) });
      two.start(2, [ipOf(1)], { trustedSubnets: other.map(parseCidr) });
      two.clock.runUntil(() => two.isFullMesh(), 5000);
      for (const peer of two.peers) expect(connections(peer)[0]!.info).toStartWith(info);
    }
  });

  test("with different passwords keep failing, say so, and connect once that is mended", () => {
    const two = new MeshCluster(1);
    two.start(1, [], { password: utf8("one") });
    two.start(2, [ipOf(1)], { password: utf8("other") });
    two.clock.run(20_000);
    const [failed] = connections(two.peer(2));
    expect(failed!.state).toBe("failed");
    expect(failed!.error!.text).toContain("Unable to decrypt TCP msg");
    expect(failed!.error!.remedy).toContain("password");
    two.stop(1);
    two.start(1, [], { password: utf8("other") });
    two.clock.runUntil(() => two.isFullMesh(), 12_000);
  });

  test("of one name refuse each other and never retry until asked to", () => {
    const two = new MeshCluster(1);
    two.start(1, []);
    two.start(2, [ipOf(1)], { name: simName(1) });
    two.clock.run(10 * minutes);
    const [failed] = connections(two.peer(2));
    expect(failed!.info).toBe(
      'local "01:00:00:01:00:00(host2)" and remote "01:00:00:01:00:00(host1)" peer names collision, retry: never',
    );
    expect(two.peer(2).mesh.status().terminationCount).toBe(1);
    two.peer(2).mesh.connect([ipOf(1)], { replace: false });
    two.clock.run(1000);
    expect(two.peer(2).mesh.status().terminationCount).toBe(2);
  });

  test("a peer that connects to itself notices, and does not count it", () => {
    const one = new MeshCluster(1);
    one.start(1, [ipOf(1)]);
    one.clock.run(10 * minutes);
    const { terminationCount, connections: rows } = one.peer(1).mesh.status();
    expect(rows.map(({ info }) => info)).toEqual(["cannot connect to ourself, retry: never"]);
    expect(terminationCount).toBe(0);
  });

  test("stopped leave no timer, no stream and no overlay link behind", () => {
    const two = cluster(1, 2);
    two.clock.runUntil(() => two.isFullMesh(), 2000);
    const stopped = two.peers;
    two.stop(1);
    two.stop(2);
    two.clock.run(1000);
    expect(stopped.map(({ world }) => world.timers)).toEqual([0, 0]);
    expect(stopped.map(({ overlay }) => overlay.links.size)).toEqual([0, 0]);
    expect(two.network.streams()).toEqual([]);
    expect(two.clock.pending).toBe(0);
  });

  test("exchange control messages of their overlays untouched", () => {
    const two = cluster(1, 2);
    two.clock.runUntil(() => two.isFullMesh(), 2000);
    const [link] = two.peer(1).overlay.links;
    link!.parameters.send(7, Uint8Array.of(0, 3, 0x05, 0x9e));
    two.clock.run(100);
    expect([...two.peer(2).overlay.links][0]!.received).toEqual(["7:0003059e"]);
  });

  test("lose the link when the overlay gives up, and try again", () => {
    const two = cluster(1, 2);
    two.clock.runUntil(() => two.isFullMesh(), 2000);
    const [link] = two.peer(2).overlay.links;
    link!.parameters.failed(new WeaveError("OVERLAY_NONE_WORKING", "no working forwarders"));
    expect(connections(two.peer(2)).map(({ info }) => info)[0]).toContain("no working forwarders");
    two.clock.runUntil(() => two.isFullMesh(), 5000);
  });
});

describe("three peers", () => {
  const everybody = [ipOf(1), ipOf(2), ipOf(3)];
  for (const explicit of [false, true]) {
    const targets = everybody.map((ip) => (explicit ? `${ip}:6783` : ip));
    const how = explicit ? "with explicit ports" : "without ports";
    test(`started at once with each other ${how}: one lasting connection per pair`, () => {
      for (let seed = 1; seed <= 10; seed++) {
        withSeed(seed, () => {
          const three = new MeshCluster(seed);
          for (const n of [1, 2, 3]) three.start(n, targets);
          three.clock.runUntil(() => three.isFullMesh(), 10_000);
          three.clock.run(10_000);
          const terminations = three.peers.map(({ mesh }) => mesh.status().terminationCount);
          three.clock.run(10 * minutes);
          expect(three.isFullMesh()).toBe(true);
          expect(three.network.streams().length).toBe(6);
          const later = three.peers.map(({ mesh }) => mesh.status().terminationCount);
          expect(later).toEqual(terminations);
        });
      }
    });
  }

  test("of which one is killed and started 20 times are complete again within 10 s", () => {
    const three = cluster(1, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    for (let round = 0; round < 20; round++) {
      const silent = round % 2 === 0;
      three.kill(3, { silent });
      three.clock.run(round * 300);
      three.start(3, [ipOf(1), ipOf(2)]);
      three.clock.runUntil(() => three.isFullMesh(), 10_000);
      const uid = three.peer(3).mesh.uid;
      three.clock.runUntil(() => three.peers.every((peer) => uidOf(peer, 3) === uid), 2000);
    }
  });

  test("of which one dies without a word and returns: its link is replaced when it dials", () => {
    const three = cluster(1, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    // What they have to say of it has been said.
    three.clock.run(1000);
    for (let round = 0; round < 10; round++) {
      three.kill(3, { silent: true });
      // Nobody can have noticed yet: the old links are as good as new.
      three.clock.run(200);
      expect([1, 2].map((n) => established(three.peer(n)))).toEqual([2, 2]);
      three.start(3, [ipOf(1), ipOf(2)]);
      expect(three.clock.runUntil(() => three.isConnected(), 1000)).toBeLessThan(1000);
      three.clock.runUntil(() => three.isFullMesh(), 1000);
      three.clock.run(1000);
      expect(three.peers.flatMap(({ gone }) => gone)).toEqual([]);
    }
  });

  test("of which one is started again soon: it keeps its short id, and nobody misses it", () => {
    const three = cluster(1, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    three.clock.runUntil(() => shortIdOf(three.peer(1), 3) !== undefined, 2000);
    const shortId = shortIdOf(three.peer(1), 3);
    three.kill(3, { silent: false });
    three.clock.run(500);
    three.start(3, [ipOf(1)]);
    three.clock.run(10_000);
    for (const peer of three.peers) expect(shortIdOf(peer, 3)).toBe(shortId!);
    expect(three.peers.flatMap(({ gone }) => gone)).toEqual([]);
  });

  test("of which one leaves its place to another process: all go over to that, and miss nobody", () => {
    const three = cluster(1, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    three.clock.run(2000);
    const former = three.peer(3).mesh;
    let isDeserted = false;
    const neighbours = former.suspend(() => {
      isDeserted = true;
    });
    expect(neighbours.map(({ host }) => host).sort()).toEqual([ipOf(1), ipOf(2)]);
    three.clock.run(1000);
    expect(isDeserted).toBe(false);
    expect(three.peer(1).mesh.status().connections).toHaveLength(2);
    three.start(3, [ipOf(1)]).mesh.start([], neighbours);
    three.clock.runUntil(() => isDeserted && three.isFullMesh(), 5000);
    three.clock.run(1000);
    former.stop();
    three.clock.run(5000);
    expect(three.isFullMesh()).toBe(true);
    expect(three.peers.flatMap(({ gone }) => gone)).toEqual([]);
  });

  test("of which one knows the short id that it had: it takes that again, if nobody else has it", () => {
    const made = cluster(1, 2);
    made.clock.runUntil(() => made.isFullMesh(), 10_000);
    made.clock.run(firstShortIdWaitMs + 100);
    const taken = shortIdOf(made.peer(1), 1)!;
    const free = [7, 8, 9].find((id) => [1, 2].every((n) => shortIdOf(made.peer(1), n) !== id))!;
    made.start(3, [ipOf(1)], { formerShortId: free });
    made.start(4, [ipOf(1)], { formerShortId: taken });
    made.clock.run(5000);
    expect(shortIdOf(made.peer(2), 3)).toBe(free);
    expect(new Set([1, 2, 3, 4].map((n) => shortIdOf(made.peer(2), n))).size).toBe(4);
    expect(shortIdOf(made.peer(2), 1)).toBe(taken);
  });

  test("forget one that is gone for good, after a grace", () => {
    const three = cluster(1, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    three.kill(3, { silent: false });
    three.clock.run(2000);
    expect(three.peer(1).gone).toEqual([]);
    three.clock.run(6000);
    for (const n of [1, 2]) {
      expect(three.peer(n).gone).toEqual([simName(3)]);
      expect(three.peer(n).mesh.isKnown(simName(3))).toBe(false);
      expect(three.peer(n).world.lines).toContain(
        "info Removed unreachable peer 03:00:00:03:00:00(host3)",
      );
    }
    expect(three.isFullMesh()).toBe(true);
  });

  test("do not take a link that is reset for a peer that is gone", () => {
    const three = line(1, 3);
    three.network.reset(ipOf(2), ipOf(3));
    three.clock.runUntil(() => !three.isConnected(), 10);
    three.clock.runUntil(() => three.isConnected(), 5000);
    expect(three.peers.flatMap(({ gone }) => gone)).toEqual([]);
  });

  test("know within 12 s that the machine of one is gone, and miss nobody else", () => {
    const four = cluster(1, 4);
    four.clock.runUntil(() => four.isFullMesh(), 10_000);
    // Until nobody has anything to say.
    four.clock.run(5000);
    four.kill(4, { silent: true });
    four.clock.run(silenceMaxMs - 1);
    expect([1, 2, 3].map((n) => established(four.peer(n)))).toEqual([3, 3, 3]);
    four.clock.run(1);
    expect([1, 2, 3].map((n) => established(four.peer(n)))).toEqual([2, 2, 2]);
    four.clock.run(3_000);
    for (const peer of four.peers) expect(peer.gone).toEqual([simName(4)]);
  });

  test("survive a cable pulled for seconds, and heal after longer cuts", () => {
    const three = cluster(2, 3);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    for (const [cutMs, healMs] of [
      [silenceMaxMs - 1000, 10],
      [30_000, 20_000],
      [90_000, 30_000],
      [600_000, 400_000],
    ] as const) {
      const before = three.peer(1).mesh.status().terminationCount;
      three.network.cut(ipOf(1), ipOf(2));
      three.clock.run(cutMs);
      expect(three.peer(1).mesh.canReach(simName(2))).toBe(true);
      expect(three.isFullMesh()).toBe(cutMs < silenceMaxMs);
      three.network.heal(ipOf(1), ipOf(2));
      three.clock.runUntil(() => three.isFullMesh(), healMs);
      if (cutMs < silenceMaxMs) expect(three.peer(1).mesh.status().terminationCount).toBe(before);
    }
  });
});

function shortIdOf(peer: MeshPeer, n: number): number | undefined {
  return peer.routes!.peers.find(({ name }) => name === simName(n))?.shortId;
}

function uidOf(peer: MeshPeer, n: number): bigint | undefined {
  return peer.mesh.status().peers.find(({ name }) => name === formatPeerName(simName(n)))?.uid;
}

describe("many peers", () => {
  test("become a full mesh when each is given one address", () => {
    for (let seed = 1; seed <= 3; seed++) {
      withSeed(seed, () => {
        const ten = cluster(seed, 10);
        ten.clock.runUntil(() => ten.isFullMesh(), 30_000);
      });
    }
  });

  test("become a full mesh of twenty, with as many short ids, and stay quiet then", () => {
    const twenty = cluster(1, 20);
    twenty.clock.runUntil(() => twenty.isFullMesh(), 30_000);
    twenty.clock.run(5000);
    for (const { routes } of twenty.peers) {
      expect(new Set(routes!.peers.map(({ shortId }) => shortId)).size).toBe(20);
    }
    const versions = (): bigint[] =>
      twenty
        .peer(7)
        .mesh.status()
        .peers.map(({ version }) => version);
    const before = versions();
    twenty.clock.run(5 * minutes);
    expect(versions()).toEqual(before);
    expect(twenty.network.streams().length).toBe(20 * 19);
  });

  test("at rest compare what they know instead of saying it", () => {
    const ten = cluster(1, 10);
    const plain = cluster(1, 10, { extensions: [] });
    const [ours, theirs] = [ten, plain].map((each) => {
      each.clock.runUntil(() => each.isFullMesh(), 30_000);
      each.clock.run(minutes);
      const before = each.network.traffic().bytes;
      each.clock.run(5 * minutes);
      return each.network.traffic().bytes - before;
    });
    expect(ours!).toBeLessThan(theirs! / 20);
  });

  test("of which only some compare states agree all the same", () => {
    const six = new MeshCluster(1, { channels: [channel], discovery: false });
    // A line with every neighbourhood of the two kinds.
    const plain = new Set([3, 4, 6]);
    for (let n = 1; n <= 6; n++) {
      six.start(n, n === 1 ? [] : [ipOf(n - 1)], plain.has(n) ? { extensions: [] } : {});
    }
    six.clock.runUntil(() => six.isConnected(), 30_000);
    const extensions = six.peers.map((peer) =>
      connections(peer).map((link) => link.extensions ?? []),
    );
    expect(extensions[0]).toEqual([["digests/1", "link-counts/1", "redirects/1"]]);
    expect(extensions[1]).toContainEqual([]);
    expect(extensions[2]).toEqual([[], []]);
    six.kill(6, { silent: false });
    six.start(6, [ipOf(5)], {});
    six.clock.run(minutes);
    const known = six.peers.map(({ mesh }) => mesh.status().peers);
    for (const view of known) expect(view).toEqual(known[0]!);
  });

  test("without discovery have the links they were told to have", () => {
    const four = line(1, 4);
    four.clock.run(5 * minutes);
    expect(four.peers.map(established)).toEqual([1, 2, 2, 1]);
  });

  test("keep to their connection limit and reach each other all the same", () => {
    const ten = new MeshCluster(1, { connectionLimit: 3 });
    for (let n = 1; n <= 10; n++) ten.start(n, n === 1 ? [] : [ipOf(n - 1)]);
    ten.clock.runUntil(() => ten.isConnected(), 5 * minutes);
    for (let step = 0; step < 60; step++) {
      ten.clock.run(10_000);
      for (const peer of ten.peers) expect(established(peer)).toBeLessThanOrEqual(3);
    }
    expect(ten.isConnected()).toBe(true);
  });

  for (const [kind, size, limit, isPlain] of [
    ["of our kind", 30, 6, () => false],
    ["of which every third is plain", 24, 6, (n: number) => n % 3 === 0],
  ] as const) {
    test(`${kind}, told of the same three, all get in where these have no room, and come to rest`, () => {
      const many = new MeshCluster(1, { connectionLimit: limit });
      for (let n = 1; n <= size; n++) {
        const plain = isPlain(n) ? { extensions: [] } : {};
        many.start(n, n === 1 ? [] : [1, 2, 3].filter((to) => to < n).map(ipOf), plain);
      }
      // Whoever cannot read where to go tries again, and comes in where others have less need.
      many.clock.runUntil(() => many.isConnected(), 10_000);
      many.clock.run(minutes);
      const before = many.peers.map(({ mesh }) => versionOf(mesh));
      for (let step = 0; step < 60; step++) {
        many.clock.run(10_000);
        for (const peer of many.peers) expect(peer.overlay.links.size).toBeLessThanOrEqual(limit);
      }
      expect(many.isConnected()).toBe(true);
      const after = many.peers.map(({ mesh }) => versionOf(mesh));
      const changed = after.filter((version, at) => version !== before[at]);
      if (kind === "of our kind") expect(changed).toEqual([]);
    });
  }

  test("who are all full take a newcomer in, and lose nobody", () => {
    const cluster = new MeshCluster(1, { connectionLimit: 5 });
    for (let n = 1; n <= 6; n++) cluster.start(n, n === 1 ? [] : [ipOf(1)]);
    cluster.clock.runUntil(() => cluster.isFullMesh(), 10_000);
    cluster.clock.run(minutes);
    for (let n = 7; n <= 12; n++) {
      cluster.start(n, [ipOf(1 + (n % 3))]);
      cluster.clock.runUntil(() => cluster.isConnected(), 10_000);
      cluster.clock.run(minutes);
      for (const peer of cluster.peers) {
        expect(peer.overlay.links.size).toBeLessThanOrEqual(5);
        expect(peer.overlay.links.size).toBeGreaterThanOrEqual(3);
      }
    }
    expect(cluster.peers.flatMap(({ gone }) => gone)).toEqual([]);
  });

  test("leave a third of their limit to those who come", () => {
    const forty = new MeshCluster(1, { connectionLimit: 12 });
    for (let n = 1; n <= 40; n++) {
      forty.start(n, n === 1 ? [] : [ipOf(n - 1), ipOf(Math.ceil(n / 2))]);
    }
    forty.clock.runUntil(() => forty.isConnected(), 10_000);
    forty.clock.run(minutes);
    const links = forty.peers.map(({ overlay }) => overlay.links.size);
    expect(Math.min(...links)).toBeGreaterThanOrEqual(8);
    expect(links.filter((count) => count < 12).length).toBeGreaterThan(10);
  });

  test("come together again after any sequence of cuts, resets and restarts", () => {
    for (let seed = 1; seed <= 4; seed++) withSeed(seed, churn);
  });
});

function versionOf(mesh: Mesh): bigint {
  const { name, peers } = mesh.status();
  return peers.find((peer) => peer.name === name)!.version;
}

/** Half an hour of trouble, then peace. */
function churn(seed: number): void {
  const six = cluster(seed, 6);
  const { random } = six.peer(1).world;
  const pick = (below: number): number => random.fill(new Uint8Array(1))[0]! % below;
  for (let trouble = 0; trouble < 60; trouble++) {
    const [a, b] = [1 + pick(6), 1 + pick(6)];
    const kind = pick(4);
    if (kind === 0) six.network.cut(ipOf(a), ipOf(b));
    else if (kind === 1) six.network.heal(ipOf(a), ipOf(b));
    else if (kind === 2) six.network.reset(ipOf(a), ipOf(b));
    else {
      six.kill(a, { silent: pick(2) === 0 });
      six.clock.run(pick(250) * 10);
      six.start(a, [1, 2, 3, 4, 5, 6].map(ipOf));
    }
    six.clock.run(pick(250) * 250);
    wordsOf(six.peer(a)).say(`word${trouble}`);
  }
  for (let a = 1; a <= 6; a++) for (let b = 1; b < a; b++) six.network.heal(ipOf(a), ipOf(b));
  // The longest back-off is nine minutes.
  six.clock.runUntil(() => six.isFullMesh(), 10 * minutes);
  six.clock.run(2 * minutes);
  const [first, ...others] = six.peers.map((peer) => [...wordsOf(peer).words].sort());
  for (const other of others) expect(other).toEqual(first!);
  for (const { world } of six.peers) {
    expect(world.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  }
}

describe("gossip", () => {
  test("of the ends of a line converges through the middle", () => {
    const three = line(1, 3);
    wordsOf(three.peer(1)).words.add("first");
    wordsOf(three.peer(3)).words.add("third");
    three.clock.runUntil(() => three.peers.every((peer) => wordsOf(peer).words.size === 2), 61_000);
  });

  test("of a new neighbour is told all that is known at once", () => {
    const two = cluster(1, 2);
    wordsOf(two.peer(1)).words.add("known");
    two.clock.runUntil(() => wordsOf(two.peer(2)).words.has("known"), 100);
  });

  test("to one peer goes over others and arrives once", () => {
    const four = line(1, 4);
    const { channel: mouth } = wordsOf(four.peer(1));
    expect(mouth!.unicast(simName(4), utf8("for four"))).toBe(true);
    expect(mouth!.unicast(simName(9), utf8("for nobody"))).toBe(false);
    expect(mouth!.unicast(simName(1), utf8("for me"))).toBe(false);
    four.clock.run(100);
    expect(wordsOf(four.peer(4)).deliveries).toEqual([`unicast ${simName(1)} for four`]);
    expect(wordsOf(four.peer(2)).deliveries).toEqual([]);
  });

  test("on a channel that the peer between does not know passes all the same", () => {
    const three = new MeshCluster(1, { discovery: false });
    three.start(1, [], { channels: ["strange"] });
    three.start(2, [ipOf(1)]);
    three.start(3, [ipOf(2)], { channels: ["strange"] });
    three.clock.runUntil(() => three.isConnected(), 10_000);
    const [near, far] = [1, 3].map((n) => three.peer(n).channels.get("strange")!);
    near!.channel!.unicast(simName(3), utf8("to you"));
    near!.say("to all");
    three.clock.run(100);
    expect(far!.deliveries).toEqual([
      `unicast ${simName(1)} to you`,
      `broadcast ${simName(1)} to all`,
    ]);
    near!.words.add("state");
    three.clock.runUntil(() => far!.words.has("state"), 31_000);
    expect(far!.deliveries.at(-1)).toBe(`gossip ${simName(2)} state,to all`);
    expect(three.peer(2).mesh.status().channels).toEqual([
      { name: "topology", surrogate: false },
      { name: "strange", surrogate: true },
    ]);
  });

  test("on a channel that nobody uses any more is forgotten by the peers between", () => {
    const two = cluster(1, 2);
    two.start(3, [ipOf(1)], { channels: ["strange"] });
    two.clock.runUntil(() => two.isConnected(), 10_000);
    two.peer(3).channels.get("strange")!.say("once");
    two.clock.run(1000);
    expect(two.peer(1).mesh.status().channels.length).toBe(3);
    two.peer(3).channels.get("strange")!.words.clear();
    two.clock.run(11 * minutes);
    expect(two.peer(1).mesh.status().channels.length).toBe(2);
  });

  test("of a newcomer reaches everybody although nobody had heard of it", () => {
    for (let seed = 1; seed <= 10; seed++) {
      withSeed(seed, () => {
        const five = line(seed, 5);
        const newcomer = five.start(6, [ipOf(5)]);
        five.clock.runUntil(() => connections(newcomer)[0]!.state === "pending", 1000);
        wordsOf(newcomer).say("hello");
        five.clock.run(200);
        for (let n = 1; n <= 5; n++)
          expect(wordsOf(five.peer(n)).count("broadcast", "hello")).toBe(1);
      });
    }
  });

  test("that an owner refuses is laid to its origin, and no link suffers", () => {
    const three = line(1, 3);
    three.clock.run(5000);
    const terminations = three.peers.map(({ mesh }) => mesh.status().terminationCount);
    const { channel: mouth } = wordsOf(three.peer(1));
    for (let time = 0; time < 5; time++) mouth!.unicast(simName(3), utf8("refuse me"));
    three.clock.run(1000);
    expect(three.peer(3).mesh.status().refusals).toMatchObject([
      {
        channel,
        origin: simName(1),
        count: 5,
        error: { code: "WORDS_REFUSED", text: "such words are not welcome" },
      },
    ]);
    expect(three.peer(3).world.lines.filter((line) => line.startsWith("warn")).length).toBe(1);
    expect(three.peers.map(({ mesh }) => mesh.status().terminationCount)).toEqual(terminations);
  });
});

describe("a broadcast", () => {
  for (const topology of routeVectors.topologies) {
    test(`by any member of "${topology.name}" reaches every other exactly once`, () => {
      const number = new Map(topology.peers.map((name, at) => [name, at + 1]));
      const made = new MeshCluster(1, { discovery: false, channels: [channel] });
      for (const [name, n] of number) {
        const neighbours = topology.connections.filter(({ from }) => from === name);
        made.start(
          n,
          neighbours.map(({ to }) => ipOf(number.get(to)!)),
        );
      }
      // Whoever was refused as a duplicate, or dialled before the other listened, is through by now.
      made.clock.run(30_000);
      for (const peer of made.peers) wordsOf(peer).say(`from ${peer.ip}`);
      made.clock.run(1000);
      for (const peer of made.peers) {
        for (const origin of made.peers) {
          const reachable = peer !== origin && peer.mesh.canReach(origin.name);
          const times = wordsOf(peer).count("broadcast", `from ${origin.ip}`);
          expect(times).toBe(reachable ? 1 : 0);
        }
      }
    });
  }
});

describe("targets", () => {
  test("that were connected, forgotten and replaced are kept for the next start", () => {
    const three = cluster(1, 3, { discovery: false });
    three.clock.run(5000);
    const { mesh, saved } = three.peer(3);
    mesh.connect([ipOf(2)], { replace: false });
    three.clock.runUntil(() => three.isFullMesh(), 2000);
    expect(saved).toEqual([ipOf(1), ipOf(2)]);
    mesh.forget([ipOf(1)]);
    three.clock.run(5 * minutes);
    expect(three.isFullMesh()).toBe(true);
    mesh.connect([ipOf(1)], { replace: true });
    expect(saved).toEqual([ipOf(1)]);
    three.kill(3, { silent: false });
    const again = three.start(3, saved);
    three.clock.run(10_000);
    expect(connections(again).map(({ address }) => address)).toEqual(["10.0.0.1:6783"]);
  });

  test("that are bad are reported, good ones applied", () => {
    const two = cluster(1, 2, { discovery: false });
    const refused = two.peer(2).mesh.connect(["10.0.0.3:99999", "10.0.0.4"], { replace: false });
    expect(refused.map(({ message }) => message)).toEqual([
      'invalid peer name "10.0.0.3:99999", should be host[:port]',
    ]);
    expect(two.peer(2).mesh.targets).toEqual([ipOf(1), "10.0.0.4"]);
  });

  test("given by name are found at whichever address answers", () => {
    const two = new MeshCluster(1);
    two.network.name("peer.example", ["10.0.0.99", ipOf(1)]);
    two.start(1, []);
    two.start(2, ["peer.example"]);
    two.clock.runUntil(() => two.isFullMesh(), 3000);
  });

  test("over IPv6 are dialled in brackets, also when discovered from an inbound link", () => {
    const three = new MeshCluster(1, {}, (n) => `fd00::${n}`);
    for (const n of [1, 2, 3]) three.start(n, n === 1 ? [] : ["fd00::1"]);
    three.clock.runUntil(() => three.isFullMesh(), 10_000);
    const addresses = three.peers.flatMap((peer) =>
      connections(peer).map(({ address }) => address),
    );
    for (const address of addresses) expect(address).toMatch(/^\[fd00::[123]\]:\d+$/);
  });
});

describe("the listener", () => {
  test("serves a new peer while silent clients keep coming from everywhere", () => {
    const three = new MeshCluster(1);
    three.start(1, []);
    three.start(2, [ipOf(1)]);
    three.clock.runUntil(() => three.isFullMesh(), 2000);
    // A thousand connections a second.
    for (let client = 0; client < 3000; client++) {
      const from = three.network.host(`10.9.${client >> 8}.${client & 255}`);
      three.clock.after(client, () => silentClient(from.transport, ipOf(1)));
    }
    three.clock.run(1500);
    three.start(3, [ipOf(1)]);
    three.clock.runUntil(() => three.isFullMesh(), 2500);
    three.clock.run(20_000);
    expect(three.network.streams(ipOf(1)).length).toBe(2);
    expect(three.peer(2).mesh.status().terminationCount).toBe(0);
  });

  test("is not exhausted by one source", () => {
    const one = new MeshCluster(1);
    one.start(1, []);
    const from = one.network.host("10.9.0.1");
    for (let client = 0; client < 500; client++) silentClient(from.transport, ipOf(1));
    one.clock.run(1000);
    expect(one.network.streams(ipOf(1)).length).toBe(64);
    one.clock.run(10_000);
    expect(one.network.streams(ipOf(1)).length).toBe(0);
  });
});

function silentClient(transport: Transport, host: string): void {
  transport.dial(
    { host, port: 6783 },
    { opened: (stream) => stream.listen({ data() {}, closed() {} }), failed() {} },
  );
}
