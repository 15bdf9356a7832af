import { measured, type Sample } from "../../api/metrics/measurement.ts";
import type { ConnectionStatus, MeshSummary } from "../../mesh/mesh-status.ts";
import type { Refusal } from "../../mesh/refusals.ts";
import { neighbourMeasurements } from "./neighbour-measurements.ts";

/** Channels and reasons that are told apart. */
const refusalSeriesMax = 32;

/** Connections, the cluster as its peers tell of it, and what they say to each other. */
export function meshMeasurements(mesh: MeshSummary): Sample[] {
  const { connections, topology, gossip, refusals } = mesh;
  return [
    ...countedByState(connections),
    measured("weave_connection_terminations_total", mesh.terminationCount),
    measured(
      "weave_connections_degraded",
      connections.filter(({ degraded }) => degraded === true).length,
    ),
    measured("weave_connections_max", mesh.connectionLimit),
    ...counted(
      "weave_connection_extensions",
      "extension",
      connections.flatMap(({ extensions = [] }) => extensions),
    ),
    ...counted(
      "weave_connection_seals",
      "seal",
      connections.flatMap(({ attributes }) => attributes?.seal ?? []),
    ),
    measured("weave_encryption_enabled", mesh.encryption),
    measured("weave_trusted_subnets", mesh.trustedSubnets),
    ...neighbourMeasurements(connections),
    measured("weave_peers", topology.peers),
    measured("weave_peers_unreached", topology.unreached),
    measured("weave_topology_links", topology.links),
    measured("weave_topology_links_one_way", topology.oneWay),
    ...gossip.flatMap(({ channel, ...tally }) => [
      measured("weave_gossip_messages_total", tally.sentMessages, sent(channel)),
      measured("weave_gossip_messages_total", tally.receivedMessages, received(channel)),
      measured("weave_gossip_bytes_total", tally.sentBytes, sent(channel)),
      measured("weave_gossip_bytes_total", tally.receivedBytes, received(channel)),
    ]),
    measured(
      "weave_gossip_refused_total",
      refusals.reduce((sum, { count }) => sum + count, 0),
    ),
    ...refusing(refusals),
  ];
}

const sent = (channel: string) => ({ channel, direction: "sent" });
const received = (channel: string) => ({ channel, direction: "received" });

/** One series per state and overlay that occurs, each with both values of `encryption`. */
function countedByState(connections: readonly ConnectionStatus[]): Sample[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { state, attributes } of connections) {
    const type = String(attributes?.name ?? "unknown");
    const isEncrypted = attributes?.encrypted === true;
    for (const encryption of ["", "yes"]) {
      const key = `${state} ${type} ${encryption}`;
      const each = counts.get(key) ?? { labels: { state, type, encryption }, value: 0 };
      if ((encryption === "yes") === isEncrypted) each.value++;
      counts.set(key, each);
    }
  }
  return [...counts.values()].map(({ labels, value }) =>
    measured("weave_connections", value, labels),
  );
}

/** One series per word that occurs. */
function counted(
  name: "weave_connection_extensions" | "weave_connection_seals",
  label: string,
  words: readonly unknown[],
): Sample[] {
  const counts = new Map<string, number>();
  for (const word of words.map(String)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => measured(name, count, { [label]: word }));
}

function refusing(refusals: readonly Refusal[]): Sample[] {
  const counts = Map.groupBy(refusals, ({ channel, error }) => `${channel} ${error.code}`);
  return [...counts.values()].slice(0, refusalSeriesMax).map((same) => {
    const { channel, error } = same[0]!;
    return measured("weave_gossip_refusing", same.length, { channel, code: error.code });
  });
}
