import { counter, gauge, histogram } from "../metric-spec.ts";

export const policyMetrics = {
  weavenpc_blocked_connections_total: counter(
    "Connections that policies blocked; of floods, those that were told of.",
    {
      labels: {
        protocol: "`tcp`, `udp`, …",
        dport: "the port that was asked for; `other` beyond 128 of them; empty without ports",
      },
      seriesMax: 136,
    },
  ),
  weavenpc_policy_enforcement_errors: counter("Attempts to put policies in place that failed."),
  weave_policy_blocked_total: counter("The same by policy.", {
    labels: {
      policy: "the one because of which it was blocked; `other` beyond 256 of them",
      direction: "`ingress` or `egress`",
    },
    seriesMax: 258,
  }),
  weave_policy_flows_cut_total: counter(
    "Connections that were ended because later policies do not allow them, see --policy-standing.",
  ),
  weave_policy_enforced: gauge("Whether what policies say is in place.", { unit: "flag" }),
  weave_policy_changes_total: counter(
    "Changes of policies, pods and namespaces put in place, each maybe of many objects.",
  ),
  weave_policy_apply_seconds: histogram("Time it took to put a change in place.", {
    labels: { how: "`change`, or `replace` for all of it" },
    seriesMax: 2,
  }),
  weave_policy_held_addresses: gauge(
    "Addresses of pods that nothing passes to or from, because nobody knows them yet.",
  ),
  weave_policy_objects: gauge("What policies are made of, by kind.", {
    labels: { kind: "`networkpolicies`, `clusterpolicies`, `namespaces` or `pods`" },
    seriesMax: 4,
  }),
  weave_policy_filter_size: gauge("What is in the packet filter, by kind.", {
    labels: { part: "`sets`, `elements`, `chains`, `rules`" },
    seriesMax: 8,
  }),
} as const;
