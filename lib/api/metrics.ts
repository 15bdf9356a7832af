import { processGauges } from "./process-gauges.ts";
import { prometheusText } from "./prometheus-text.ts";
import type { ConnectionReport, IpamReport, Report } from "./report.ts";
import type { Gauge } from "./router-control.ts";

/**
 * What `/metrics` shows. Names, labels and help texts of the original are kept
 * (http-api §6); what the router adds beyond the report comes as `more`.
 */
export function metricsText(report: Report, more: readonly Gauge[]): string {
  const metrics: Gauge[] = [
    ...connectionGauges(report.Router.Connections ?? []),
    ...extensionGauges(report.Router.Connections ?? []),
    ...sealGauges(report.Router.Connections ?? []),
    ...roundTripGauges(report.Router.Connections ?? []),
    ...mtuGauges(report.Router.Connections ?? []),
    {
      name: "weave_connection_terminations_total",
      help: "Number of peer-to-peer connections terminated.",
      type: "counter",
      value: report.Router.TerminationCount,
    },
  ];
  if (report.IPAM !== undefined) metrics.push(...ipamGauges(report.IPAM));
  if (report.DNS !== undefined) {
    const own = (report.DNS.Entries ?? []).filter(
      (entry) => entry.Tombstone === 0 && entry.Origin === report.Router.Name,
    );
    metrics.push(gauge("weave_dns_entries", "Number of DNS entries.", own.length));
  }
  return prometheusText([...metrics, ...processGauges(), ...more]);
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, type: "gauge", value };
}

/** One series per state and overlay that occurs, each with both values of `encryption`. */
function connectionGauges(connections: readonly ConnectionReport[]): Gauge[] {
  const counts = new Map<string, Gauge & { value: number }>();
  for (const connection of connections) {
    const type = String(connection.Attrs?.name ?? "unknown");
    const isEncrypted = connection.Attrs?.encrypted === true;
    for (const encryption of ["", "yes"]) {
      const key = `${connection.State} ${type} ${encryption}`;
      const counted = counts.get(key) ?? {
        name: "weave_connections",
        help: "Number of peer-to-peer connections.",
        type: "gauge",
        labels: { state: connection.State, type, encryption },
        value: 0,
      };
      if ((encryption === "yes") === isEncrypted) counted.value++;
      counts.set(key, counted);
    }
  }
  return [...counts.values()];
}

/** One series per extension that occurs, so that a cluster can be seen to be upgraded. */
function extensionGauges(connections: readonly ConnectionReport[]): Gauge[] {
  const extensions = connections.flatMap(({ Extensions = [] }) => Extensions);
  const help = "Number of connections with an extension of the protocol.";
  return [...countsOf(extensions)].map(([extension, value]) => ({
    ...gauge("weave_connection_extensions", help, value),
    labels: { extension },
  }));
}

/** One series per cipher and implementation that seals frames. */
function sealGauges(connections: readonly ConnectionReport[]): Gauge[] {
  const seals = connections.flatMap(({ Attrs }) => (Attrs?.seal === undefined ? [] : [Attrs.seal]));
  const help = "Number of connections whose frames are sealed, by cipher and implementation.";
  return [...countsOf(seals.map(String))].map(([seal, value]) => ({
    ...gauge("weave_connection_seals", help, value),
    labels: { seal },
  }));
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

function roundTripGauges(connections: readonly ConnectionReport[]): Gauge[] {
  return connections.flatMap(({ Address: address, RoundTripMs: ms }) => {
    if (ms === undefined) return [];
    const help = "Smoothed round-trip time of the TCP connection to a peer.";
    return [
      { ...gauge("weave_connection_round_trip_seconds", help, ms / 1000), labels: { address } },
    ];
  });
}

/** One series for each address to which there is a connection, of which several may be on their way. */
function mtuGauges(connections: readonly ConnectionReport[]): Gauge[] {
  const help = "Largest packet of a container that takes the connection's overlay in one piece.";
  const gauges = connections.flatMap(({ Address: address, State, Attrs }) =>
    State === "established" && typeof Attrs?.mtu === "number"
      ? [{ ...gauge("weave_connection_mtu_bytes", help, Attrs.mtu), labels: { address } }]
      : [],
  );
  return [...new Map(gauges.map((each) => [each.labels.address, each])).values()];
}

function ipamGauges(ipam: IpamReport): Gauge[] {
  const lost = (ipam.Entries ?? []).filter((entry) => !entry.IsKnownPeer);
  const lostAddresses = lost.reduce((sum, entry) => sum + entry.Size, 0);
  return [
    {
      ...gauge("weave_ips", "Number of IP addresses.", ipam.ActiveIPs),
      labels: { state: "local-used" },
    },
    gauge("weave_max_ips", "Size of IP address space used by allocator.", ipam.RangeNumIPs),
    gauge(
      "weave_ipam_unreachable_count",
      "Number of unreachable peers.",
      new Set(lost.map((entry) => entry.Peer)).size,
    ),
    gauge(
      "weave_ipam_unreachable_percentage",
      "Percentage of IP addresses owned  by unreachable peers.",
      (100 * lostAddresses) / ipam.RangeNumIPs,
    ),
    gauge(
      "weave_ipam_pending_allocates",
      "Number of pending allocates.",
      ipam.PendingAllocates?.length ?? 0,
    ),
    gauge(
      "weave_ipam_pending_claims",
      "Number of pending claims.",
      ipam.PendingClaims?.length ?? 0,
    ),
  ];
}
