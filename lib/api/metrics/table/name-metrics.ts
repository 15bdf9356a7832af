import { counter, gauge, histogram } from "../metric-spec.ts";

export const nameMetrics = {
  weave_dns_entries: gauge("Number of DNS entries."),
  weave_dns_known_entries: gauge("Names of all peers that can be asked for here."),
  weave_dns_listen_problems: gauge("Addresses at which weaveDNS should listen and cannot."),
  weave_dns_queries_total: counter("Questions that came.", {
    labels: { transport: "`udp` or `tcp`" },
    seriesMax: 2,
  }),
  weave_dns_results_total: counter("How questions ended.", {
    labels: {
      result:
        "`answered`, `no-data`, `no-such-name`, `forwarded`, `failed`, …: docs say what each means",
    },
    seriesMax: 16,
  }),
  weave_dns_latency_seconds: histogram(
    "Time from a question to its reply, forwarded ones as well.",
  ),
  weave_dns_forwarding: gauge("Questions that wait for other servers now."),
  weave_dns_tcp_clients: gauge("Clients connected by TCP."),
  weave_dns_tcp_refused_total: counter("Clients turned away because too many were connected."),
  weave_dns_upstream_servers: gauge("Servers that questions outside of our domain go to."),
} as const;
