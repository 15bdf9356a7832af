import type { Gauge } from "../../api/router-control.ts";
import type { PolicyService } from "./policy-service.ts";

/** Policies for `/metrics`, under the names of the original where it has them (kubernetes.md §8.4). */
export function policyGauges({ controller, blocked }: PolicyService): Gauge[] {
  if (controller === undefined || controller.phase === "off") return [];
  const { tables, counts, chosen, phase } = controller;
  const objects = {
    namespaces: tables.namespaces.size,
    pods: tables.pods.size,
    networkpolicies: tables.networkPolicies.size,
    clusterpolicies: tables.clusterPolicies.size,
  };
  const sizes = Object.entries(chosen?.enforcer.size() ?? {});
  return [
    ...blocked,
    {
      name: "weavenpc_policy_enforcement_errors",
      help: "Attempts to put policies in place that failed.",
      type: "counter",
      value: counts.errors,
    },
    {
      name: "weave_policy_enforced",
      help: "Whether what policies say is in place.",
      type: "gauge",
      value: phase === "enforcing" ? 1 : 0,
    },
    {
      name: "weave_policy_changes_total",
      help: "Changes of policies, pods and namespaces put in place, each maybe of many objects.",
      type: "counter",
      value: counts.changes,
    },
    {
      name: "weave_policy_held_addresses",
      help: "Addresses of pods that nothing passes to or from, because nobody knows them yet.",
      type: "gauge",
      value: tables.admitted.held,
    },
    ...Object.entries(objects).map(
      ([kind, value]): Gauge => ({
        name: "weave_policy_objects",
        help: "What policies are made of, by kind.",
        type: "gauge",
        labels: { kind },
        value,
      }),
    ),
    ...sizes.map(
      ([part, value]): Gauge => ({
        name: "weave_policy_filter_size",
        help: "What is in the packet filter, by kind.",
        type: "gauge",
        labels: { part },
        value,
      }),
    ),
  ];
}
