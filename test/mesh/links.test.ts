import { describe, expect, test } from "bun:test";
import { concatBytes, fromHex, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { decodeFeatures, encodeFeatures } from "../../lib/mesh/features.ts";
import { frameMaxBytes } from "../../lib/mesh/framing.ts";
import type { PeerRecord } from "../../lib/mesh/peer-record.ts";
import { encodeMessage, type OutgoingMessage } from "../../lib/mesh/protocol-message.ts";
import { parseRedirect } from "../../lib/mesh/redirect.ts";
import { encodeTopology, encodeTopologyPayloads } from "../../lib/mesh/topology-codec.ts";
import type { ByteStream } from "../../lib/mesh/transport.ts";
import { mutants } from "../fuzz/mutate.ts";
import { ipOf, MeshCluster, simName } from "../sim/mesh-peer.ts";
import gossipVectors from "../vectors/mesh/gossip-messages.json";
import { sketch } from "./records.ts";

function frame(content: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length);
  return concatBytes(length, content);
}

/** The opening of a remote of version 2 without a password. */
function opening(features: Record<string, string>): Uint8Array {
  const all = { PeerNameFlavour: "mac", NickName: "hand-made", UID: "77", ConnID: "5" };
  const map = new Map(Object.entries({ ...all, Overlays: "sleeve", ...features }));
  return concatBytes(fromHex("7765617665010200"), frame(encodeFeatures(map)));
}

interface HandMade {
  readonly stream: ByteStream;
  readonly read: Uint8Array[];
  closed: boolean;
}

/** Dials peer 1 from `ip` and says `bytes`. */
function dial(cluster: MeshCluster, ip: string, bytes: Uint8Array): HandMade {
  const made: HandMade[] = [];
  const opened = (stream: ByteStream): void => {
    const remote: HandMade = { stream, read: [], closed: false };
    stream.listen({
      data: (received) => remote.read.push(received),
      closed: () => {
        remote.closed = true;
      },
    });
    stream.write(bytes);
    made.push(remote);
  };
  const { transport } = cluster.network.host(ip);
  transport.dial({ host: ipOf(1), port: 6783 }, { opened, failed() {} });
  cluster.clock.runUntil(() => made.length > 0, 1000);
  cluster.clock.run(100);
  return made[0]!;
}

/** Records of as many peers, each linked to all, with nicknames of 28 characters. */
function fullMeshOf(size: number): PeerRecord[] {
  const names = Array.from({ length: size }, (_, at) => ((at + 1000) * 2 ** 16) as PeerName);
  const link = { address: "10.0.0.1:6783", outbound: true, established: true };
  const links = new Map(names.map((to) => [to, link]));
  const nickname = "a-nickname-of-28-characters-";
  return names.map((own) => ({
    ...{ name: own, nickname, links },
    ...{ uid: 2n ** 63n, version: 1000n, shortId: undefined },
  }));
}

const name = "00:00:00:00:00:77";
const sender = parsePeerName(name);

describe("a link", () => {
  test("that no overlay can serve is closed, and the peer forgotten", () => {
    const cluster = new MeshCluster(1);
    const { overlay, mesh, world } = cluster.start(1, []);
    overlay.prepare = () => {
      throw new WeaveError("OVERLAY_NONE_COMMON", "no overlays in common with peer");
    };
    const remote = dial(cluster, "10.9.0.1", opening({ Name: name }));
    expect(remote.closed).toBe(true);
    expect(world.lines.at(-1)).toContain("no overlays in common with peer");
    cluster.clock.run(30_000);
    expect(mesh.status().peers.length).toBe(1);
  });

  test("whose overlay fails while it is prepared leaves nothing behind", () => {
    const cluster = new MeshCluster(1);
    const { overlay, mesh } = cluster.start(1, []);
    const prepare = overlay.prepare.bind(overlay);
    overlay.prepare = (parameters) => {
      const link = prepare(parameters);
      parameters.failed(new WeaveError("OVERLAY_NONE_WORKING", "no working forwarders"));
      return link;
    };
    expect(dial(cluster, "10.9.0.1", opening({ Name: name })).closed).toBe(true);
    expect(overlay.links.size).toBe(0);
    expect(mesh.status().connections).toEqual([]);
  });

  test("to an address that somebody spoke of must lead to a known peer", () => {
    const cluster = new MeshCluster(1);
    const { mesh } = cluster.start(1, []);
    cluster.start(9, []);
    const remote = dial(cluster, "10.9.0.1", opening({ Name: name }));
    // A link to peer 8 is claimed, and peer 9 lives at the address given for it.
    const address = { address: `${ipOf(9)}:6783` };
    const payload = encodeTopology([
      { ...sketch({ n: 8, version: 2n, links: [[7, address]] }), name: sender },
    ]);
    remote.stream.write(
      frame(encodeMessage({ kind: "gossip", channel: "topology", sender, payload })),
    );
    cluster.clock.run(3000);
    const failed = mesh.status().connections.find(({ state }) => state === "failed");
    expect(failed!.error!.text).toBe(
      "Found unknown remote name: 09:00:00:09:00:00 at 10.0.0.9:6783",
    );
    expect(mesh.isKnown(simName(9))).toBe(false);
  });

  test("of a restarted peer replaces the one that its dead incarnation left", () => {
    const cluster = new MeshCluster(1);
    const { mesh } = cluster.start(1, []);
    const old = dial(cluster, "10.9.0.1", opening({ Name: name, ConnID: "0" }));
    const restarted = dial(cluster, "10.9.0.1", opening({ Name: name, UID: "78" }));
    expect([old.closed, restarted.closed]).toEqual([true, false]);
    expect(mesh.status().connections.length).toBe(1);
    // All that was known of it may be lost: it is told everything.
    expect(restarted.read.some((bytes) => bytes.includes(4))).toBe(true);
  });

  test("of a restarted peer that dials is not dialled as well", () => {
    const cluster = new MeshCluster(1);
    const { mesh, world } = cluster.start(1, [ipOf(2)]);
    cluster.start(2, []);
    cluster.clock.run(70_000);
    const dialled = () => world.lines.filter((line) => line.includes("attempting")).length;
    const before = dialled();
    // Nobody hears that the old connection is dead.
    cluster.kill(2, { silent: true });
    cluster.start(2, [ipOf(1)]);
    cluster.clock.run(3000);
    expect(mesh.status().connections.map(({ state }) => state)).toEqual(["established"]);
    expect(dialled()).toBe(before);
  });

  test("is refused for the limit before the remote could take it for one", () => {
    const cluster = new MeshCluster(1, { connectionLimit: 1 });
    const { mesh, world } = cluster.start(1, []);
    cluster.start(2, [ipOf(1)]);
    cluster.clock.run(1000);
    const version = () =>
      mesh.status().peers.find(({ name: each }) => each === mesh.status().name)!.version;
    const before = version();
    const plain = dial(cluster, "10.9.0.1", opening({ Name: name }));
    expect(plain.closed).toBe(true);
    // A header and the flag that there is no password: who we are is kept back.
    expect(concatBytes(...plain.read).toHex()).toBe("7765617665010200");
    expect(world.lines.at(-1)).toContain("Connection limit reached (1)");
    const features = { Name: name, WeaveExtensions: "redirects/1" };
    const ours = dial(cluster, "10.9.0.1", opening(features));
    expect(ours.closed).toBe(true);
    const said = decodeFeatures(concatBytes(...ours.read).subarray(12));
    expect(parseRedirect(said)).toEqual({ limit: 1, elsewhere: [{ host: ipOf(2), port: 6783 }] });
    expect(version()).toBe(before);
    expect(mesh.isKnown(parsePeerName(name))).toBe(false);
  });

  test("is made anew by a restarted neighbour also at the limit", () => {
    const cluster = new MeshCluster(1, { connectionLimit: 1 });
    const { mesh } = cluster.start(1, []);
    const old = dial(cluster, "10.9.0.1", opening({ Name: name, ConnID: "0" }));
    const restarted = dial(cluster, "10.9.0.1", opening({ Name: name, UID: "78" }));
    expect([old.closed, restarted.closed]).toEqual([true, false]);
    expect(mesh.status().connections.length).toBe(1);
  });

  test("to a peer without room is neither announced nor counted, and says why it failed", () => {
    const cluster = new MeshCluster(1, { connectionLimit: 1, discovery: false });
    cluster.start(1, []);
    cluster.start(2, [ipOf(1)]);
    cluster.clock.run(1000);
    const { mesh, events } = cluster.start(3, [ipOf(1)]);
    cluster.clock.run(60_000);
    expect(events).toEqual([]);
    const [failed] = mesh.status().connections;
    expect(failed!.info).toContain("remote has reached its connection limit (1)");
    expect(mesh.status().peers.map(({ version }) => version)).toEqual([0n]);
  });

  test("never ends because of what a payload holds", () => {
    const cluster = new MeshCluster(1);
    const { mesh } = cluster.start(1, []);
    const remote = dial(cluster, "10.9.0.1", opening({ Name: name }));
    const topology = encodeTopology([sketch({ n: 2, links: [[3]] }), sketch({ n: 3 })]);
    for (const payload of mutants(1, [topology], 2000)) {
      const channel = "topology";
      const message: OutgoingMessage =
        payload.length % 2 === 0
          ? { kind: "gossip", channel, sender, payload }
          : { kind: "broadcast", channel, origin: sender, payload };
      remote.stream.write(frame(encodeMessage(message)));
    }
    cluster.clock.run(20_000);
    expect(remote.closed).toBe(false);
    const [refusal] = mesh.status().refusals;
    expect(refusal).toMatchObject({ channel: "topology", error: { code: "TOPOLOGY_FORMAT" } });
    expect(refusal!.count).toBeGreaterThan(500);
  });

  test("carries a topology that no frame could hold, and breaks over it on neither side", () => {
    const cluster = new MeshCluster(1, { discovery: false });
    cluster.start(1, []);
    const records = fullMeshOf(650);
    const payloads = encodeTopologyPayloads(records);
    expect(payloads.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(frameMaxBytes);
    // The remote leads to all of them, so none is taken for unreachable.
    const guide = { ...sketch({ n: 9 }), name: sender, links: records[0]!.links };
    const remote = dial(cluster, "10.9.0.1", opening({ Name: name }));
    for (const payload of [...payloads, encodeTopology([guide])]) {
      remote.stream.write(
        frame(encodeMessage({ kind: "gossip", channel: "topology", sender, payload })),
      );
    }
    cluster.clock.run(1000);
    const second = cluster.start(2, [ipOf(1)]);
    cluster.clock.runUntil(() => second.mesh.knownPeers().length === records.length + 3, 3000);
    cluster.clock.run(5000);
    for (const { mesh } of cluster.peers) {
      expect(mesh.knownPeers()).toHaveLength(records.length + 3);
      expect(mesh.status().refusals).toEqual([]);
      expect(mesh.status().terminationCount).toBe(0);
    }
  }, 60_000);

  test("never ends because of what a digest or an inquiry holds, and answers those that make sense", () => {
    const cluster = new MeshCluster(1, { channels: ["words"], discovery: false });
    const { mesh } = cluster.start(1, []);
    const introduced = opening({ Name: name, WeaveExtensions: "digests/1" });
    const remote = dial(cluster, "10.9.0.1", introduced);
    const list = new Uint8Array(2 * 23).fill(7);
    for (const [index, payload] of [...mutants(1, [list], 2000)].entries()) {
      const channel = ["topology", "words", "nobody's"][index % 3]!;
      const digest = { kind: "digest", channel, payload, unixMs: index % 5 } as const;
      const inquiry = { kind: "inquiry", channel, payload } as const;
      remote.stream.write(frame(encodeMessage(index % 2 === 0 ? digest : inquiry)));
    }
    remote.read.length = 0;
    cluster.clock.run(20_000);
    expect(remote.closed).toBe(false);
    expect(mesh.status().refusals).toMatchObject([{ error: { code: "TOPOLOGY_INQUIRY" } }]);
    expect(mesh.status().channels.map((each) => each.name)).toEqual(["topology", "words"]);
    expect(remote.read.some((bytes) => bytes[4] === 65)).toBe(true);
  });

  test("survives or ends, but harms nobody else, whatever is sent over it", () => {
    const cluster = new MeshCluster(1, { channels: ["words"], discovery: false });
    cluster.start(1, []);
    cluster.start(2, [ipOf(1)]);
    cluster.clock.runUntil(() => cluster.isFullMesh(), 5000);
    const corpus = gossipVectors.messages.map(({ hex }) => fromHex(hex));
    corpus.push(Uint8Array.of(0), Uint8Array.of(1), fromHex("07000103"), utf8("\u0007"));
    let remote: HandMade | undefined;
    for (const mutant of mutants(1, corpus, 3000)) {
      if (remote === undefined || remote.closed) {
        remote = dial(cluster, "10.9.0.1", opening({ Name: name }));
      }
      remote.stream.write(frame(mutant));
      cluster.clock.run(1);
    }
    remote!.stream.reset();
    cluster.clock.run(30_000);
    const established = cluster.peer(2).mesh.status().connections[0]!;
    expect(established.state).toBe("established");
    expect(cluster.peer(2).mesh.status().terminationCount).toBe(0);
    for (const { world } of cluster.peers) {
      expect(world.lines.filter((line) => line.startsWith("error"))).toEqual([]);
    }
  });
});
