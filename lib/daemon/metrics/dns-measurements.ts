import { distributed, type Measurement, measured } from "../../api/metrics/measurement.ts";
import { addHistograms } from "../../base/histogram.ts";
import type { DnsServerStats } from "../../host/dns-stats.ts";

/** What of DNS is measured. */
export interface MeasuredDns {
  problems(): readonly unknown[];
  /** Of each address at which it listens. */
  stats(): readonly DnsServerStats[];
  readonly upstreams: { servers(): readonly unknown[] };
}

/** All addresses at which weaveDNS listens together. */
export function dnsMeasurements(dns: MeasuredDns): Measurement[] {
  const all = dns.stats();
  const sum = (of: (stats: DnsServerStats) => number): number =>
    all.reduce((total, stats) => total + of(stats), 0);
  const results = new Map<string, number>();
  for (const [result, count] of all.flatMap((stats) => Object.entries(stats.results))) {
    results.set(result, (results.get(result) ?? 0) + count);
  }
  return [
    measured("weave_dns_listen_problems", dns.problems().length),
    ...(["udp", "tcp"] as const).map((transport) =>
      measured(
        "weave_dns_queries_total",
        sum(({ queries }) => queries[transport]),
        { transport },
      ),
    ),
    ...[...results].map(([result, count]) =>
      measured("weave_dns_results_total", count, { result }),
    ),
    ...(all.length === 0
      ? []
      : [
          distributed(
            "weave_dns_latency_seconds",
            all.map(({ latency }) => latency).reduce(addHistograms),
          ),
        ]),
    measured(
      "weave_dns_forwarding",
      sum(({ forwarding }) => forwarding),
    ),
    measured(
      "weave_dns_tcp_clients",
      sum(({ tcpClients }) => tcpClients),
    ),
    measured(
      "weave_dns_tcp_refused_total",
      sum(({ tcpRefused }) => tcpRefused),
    ),
    measured("weave_dns_upstream_servers", dns.upstreams.servers().length),
  ];
}
