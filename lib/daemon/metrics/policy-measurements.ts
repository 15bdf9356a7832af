import { distributed, type Measurement, measured } from "../../api/metrics/measurement.ts";
import type { PolicyService } from "../policy/policy-service.ts";

/** Policies for `/metrics`, under the names of the original where it has them (kubernetes.md §8.4). */
export function policyMeasurements({ controller, blocked }: PolicyService): Measurement[] {
  if (controller === undefined || controller.phase === "off") return [];
  const { tables, counts, chosen, phase, applyTimes, cutter } = controller;
  const objects = {
    namespaces: tables.namespaces.size,
    pods: tables.pods.size,
    networkpolicies: tables.networkPolicies.size,
    clusterpolicies: tables.clusterPolicies.size,
  };
  const sizes = Object.entries(chosen?.enforcer.size() ?? {});
  return [
    ...blocked,
    measured("weavenpc_policy_enforcement_errors", counts.errors),
    ...(cutter === undefined ? [] : [measured("weave_policy_flows_cut_total", cutter.cut)]),
    measured("weave_policy_enforced", phase === "enforcing"),
    measured("weave_policy_changes_total", counts.changes),
    ...Object.entries(applyTimes).map(([how, reading]) =>
      distributed("weave_policy_apply_seconds", reading, { how }),
    ),
    measured("weave_policy_held_addresses", tables.admitted.held),
    ...Object.entries(objects).map(([kind, value]) =>
      measured("weave_policy_objects", value, { kind }),
    ),
    ...sizes.map(([part, value]) => measured("weave_policy_filter_size", value, { part })),
  ];
}
