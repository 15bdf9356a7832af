import { describe, expect, test } from "bun:test";
import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import type { ProtocolMessage } from "../../lib/mesh/protocol-message.ts";
import { decodeTopology } from "../../lib/mesh/topology-codec.ts";
import { MeshCluster } from "../sim/mesh-peer.ts";
import version1 from "../vectors/live/protocol-v1.json";
import plain from "../vectors/live/two-peers-plain.json";
import { readRecorded } from "./recorded-stream.ts";

/** What the original sent when it was dialled, with the times in seconds at which it did. */
type Recording = ReadonlyArray<{ readonly t: number; readonly hex: string }>;

/**
 * Dials a host that answers with the recorded octets of the original, as the peer that dialled it
 * then, in a new incarnation.
 */
function dialRecorded(recording: Recording, name: string) {
  const cluster = new MeshCluster(1, { discovery: false });
  const heard: Uint8Array[] = [];
  cluster.network.host("10.0.0.9").listen(6783, (stream) => {
    stream.listen({ data: (bytes) => heard.push(bytes), closed() {} });
    for (const { t, hex } of recording) {
      cluster.clock.after((t - recording[0]!.t) * 1000, () => stream.write(fromHex(hex)));
    }
  });
  const peer = cluster.start(1, ["10.0.0.9"], { name: parsePeerName(name) });
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

  test("that offers version 1 only is a neighbour without a short id", () => {
    const [connection] = version1.tcp;
    const { cluster, peer } = dialRecorded(connection!.server_to_client, "02:99:00:00:77:77");
    cluster.clock.run(20_000);
    const { connections, refusals } = peer.mesh.status();
    expect(connections[0]!.outbound).toBe(true);
    expect(refusals).toEqual([]);
  });
});
