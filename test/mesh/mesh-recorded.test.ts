import { describe, expect, test } from "bun:test";
import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import type { ProtocolMessage } from "../../lib/mesh/protocol-message.ts";
import { decodeTopology } from "../../lib/mesh/topology-codec.ts";
import { MeshCluster, type MeshPeerOptions } from "../sim/mesh-peer.ts";
import version1 from "../vectors/live/protocol-v1.json";
import plain from "../vectors/live/two-peers-plain.json";
import { readRecorded } from "./recorded-stream.ts";

/** What the original sent when it was dialled, with the times in seconds at which it did. */
type Recording = ReadonlyArray<{ readonly t: number; readonly hex: string }>;

/**
 * Dials a host that answers with the recorded octets of the original, as the peer that dialled it
 * then, in a new incarnation.
 */
function dialRecorded(recording: Recording, name: string, options: MeshPeerOptions = {}) {
  const cluster = new MeshCluster(1, { discovery: false });
  const heard: Uint8Array[] = [];
  cluster.network.host("10.0.0.9").listen(6783, (stream) => {
    stream.listen({ data: (bytes) => heard.push(bytes), closed() {} });
    for (const { t, hex } of recording) {
      cluster.clock.after((t - recording[0]!.t) * 1000, () => stream.write(fromHex(hex)));
    }
  });
  const peer = cluster.start(1, ["10.0.0.9"], { ...options, name: parsePeerName(name) });
  return { cluster, peer, heard: () => concatBytes(...heard) };
}

/** Is dialled by a host that says the recorded octets of the original. */
function dialledByRecorded(recording: Recording) {
  const cluster = new MeshCluster(1, { discovery: false });
  const heard: Uint8Array[] = [];
  const peer = cluster.start(1, []);
  cluster.network.host("10.0.0.9").transport.dial(
    { host: peer.ip, port: 6783 },
    {
      opened(stream) {
        stream.listen({ data: (bytes) => heard.push(bytes), closed() {} });
        for (const { t, hex } of recording) {
          cluster.clock.after((t - recording[0]!.t) * 1000, () => stream.write(fromHex(hex)));
        }
      },
      failed(error) {
        throw error;
      },
    },
  );
  return { cluster, peer, heard: () => concatBytes(...heard) };
}

function topologyOf(messages: readonly ProtocolMessage[]) {
  return messages.flatMap((message) =>
    (message.kind === "gossip" || message.kind === "broadcast") && message.channel === "topology"
      ? decodeTopology(message.payload).records
      : [],
  );
}

describe("a recorded original", () => {
  const original = "02:99:00:00:28:01";
  const former = "02:99:00:00:28:02";

  test("is a neighbour whose every message is understood", () => {
    const [connection] = plain.tcp;
    const { cluster, peer } = dialRecorded(connection!.server_to_client, former);
    cluster.clock.run(60_000);
    const { connections, peers, refusals, channels } = peer.mesh.status();
    expect(connections).toMatchObject([{ state: "established", outbound: true }]);
    expect(refusals).toEqual([]);
    expect(channels.map(({ name }) => name)).toEqual(["topology", "nameserver", "IPallocation"]);
    const theirs = peers.find(({ name }) => name === original)!;
    expect(theirs.nickname).toBe("x1");
    expect(theirs.connections).toMatchObject([{ name: former, outbound: false }]);
    const [link] = peer.overlay.links;
    expect(link!.received.map((line) => line.slice(0, 6))).toEqual(["7:0001", "7:0002", "7:0003"]);
  });

  test("that remembers our former incarnation hears from us a version beyond that one's", () => {
    const [connection] = plain.tcp;
    const { cluster, peer, heard } = dialRecorded(connection!.server_to_client, former);
    cluster.clock.run(60_000);
    const inbound = concatBytes(...connection!.server_to_client.map(({ hex }) => fromHex(hex)));
    const version2 = { version: 2, senderOutbound: false } as const;
    const remembered = topologyOf(readRecorded(inbound, version2).messages)
      .filter(({ name }) => name === parsePeerName(former))
      .map(({ version }) => version);
    const sent = readRecorded(heard(), { version: 2, senderOutbound: true });
    expect(sent.restBytes).toBe(0);
    const announced = topologyOf(sent.messages).filter(({ uid }) => uid === peer.mesh.uid);
    const last = announced.at(-1)!;
    expect(remembered.length).toBeGreaterThan(0);
    for (const version of remembered) expect(last.version > version).toBe(true);
    expect(last.shortId).toBeDefined();
    expect(last.links.get(parsePeerName(original))).toMatchObject({
      address: "10.0.0.9:6783",
      outbound: true,
      established: true,
    });
  });

  test("that speaks version 1 alone dials us: a neighbour in bare words, without a short id of its own", () => {
    const { cluster, peer, heard } = dialledByRecorded(version1.tcp[0]!.client_to_server);
    cluster.clock.run(2000);
    const { connections, peers, refusals } = peer.mesh.status();
    expect(connections).toMatchObject([{ state: "established", outbound: false }]);
    expect(peers.find(({ name }) => name === former)!.nickname).toBe("x2");
    expect(refusals).toEqual([]);
    const [link] = peer.overlay.links;
    expect(link!.parameters.remoteFeatures.has("ShortID")).toBe(false);
    expect(link!.parameters.remoteFeatures.has("Overlays")).toBe(false);
    expect(link!.received.map((line) => line[0])).toContain("1");
    const { features, restBytes } = readRecorded(heard(), { version: 1, senderOutbound: false });
    expect([...features!.keys()].sort()).toEqual(featuresOfVersion1);
    expect(restBytes).toBe(0);
  });

  test("is a neighbour over version 1 when we have no other", () => {
    const { server_to_client: recording } = version1.tcp[0]!;
    const options = { maxProtocolVersion: 1 } as const;
    const { cluster, peer, heard } = dialRecorded(recording, "02:99:00:00:77:77", options);
    cluster.clock.run(2000);
    const { connections, peers, refusals } = peer.mesh.status();
    expect(connections).toMatchObject([{ state: "established", outbound: true }]);
    expect(peers.find(({ name }) => name === original)!.nickname).toBe("x1");
    expect(refusals).toEqual([]);
    const { features, messages } = readRecorded(heard(), { version: 1, senderOutbound: true });
    expect([...features!.keys()].sort()).toEqual(featuresOfVersion1);
    expect(topologyOf(messages).some(({ uid }) => uid === peer.mesh.uid)).toBe(true);
  });
});

const featuresOfVersion1 = ["ConnID", "Name", "NickName", "PeerNameFlavour", "UID"];
