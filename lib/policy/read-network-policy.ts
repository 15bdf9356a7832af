import * as v from "valibot";
import type { AllowRule, Direction, NetworkPolicy, Selector } from "./objects.ts";
import { ProblemCollector } from "./policy-problem.ts";
import {
  areFew,
  identityOf,
  type ReadPolicy,
  type RuleReader,
  readFields,
  readRules,
  readSpec,
} from "./read-object.ts";
import { peerSchema } from "./read-peer.ts";
import { portSchema } from "./read-port.ts";
import { selectorSchema } from "./read-selector.ts";
import { everything } from "./selector.ts";

/** None, or an empty list, is any. */
function anyOrList<const Item extends v.GenericSchema>(item: Item) {
  return v.pipe(
    v.nullish(v.array(item), []),
    v.transform((items) => (items.length === 0 ? ("any" as const) : items)),
  );
}

const ports = anyOrList(portSchema);
const peers = anyOrList(peerSchema);

const closed = (): AllowRule => ({ peers: [], ports: "any" });
const effect = "the rule allows nothing";

const ingressRule: RuleReader<v.GenericSchema<unknown, AllowRule>> = {
  schema: v.pipe(
    v.strictObject({ from: peers, ports }),
    v.transform(({ from, ports }): AllowRule => ({ peers: from, ports })),
  ),
  ...{ closed, effect },
};

const egressRule: RuleReader<v.GenericSchema<unknown, AllowRule>> = {
  schema: v.pipe(
    v.strictObject({ to: peers, ports }),
    v.transform(({ to, ports }): AllowRule => ({ peers: to, ports })),
  ),
  ...{ closed, effect },
};

const typesSchema = v.nullish(v.array(v.picklist(["Ingress", "Egress"])), []);

const fields = ["podSelector", "policyTypes", "ingress", "egress"] as const;

/**
 * A NetworkPolicy of `networking.k8s.io/v1` (kubernetes.md §9), with the defaults of the API. What is
 * not understood allows nothing: a rule closes, and a policy that cannot be read as a whole isolates
 * what it selects, or all pods of its namespace when nobody can say what that is.
 *
 * @throws WeaveError `POLICY_FORMAT` for what has no name
 */
export function readNetworkPolicy(json: unknown): ReadPolicy<NetworkPolicy> {
  const identity = identityOf(json);
  const problems = new ProblemCollector();
  const isolated = "the policy isolates what it selects, and allows nothing";
  const allIsolated = `all pods of namespace ${identity.namespace} are isolated by the policy`;

  const spec = readSpec(problems, json, allIsolated);
  const known = readFields(problems, spec ?? {}, fields, isolated);
  // What it selects may be readable where other things are not.
  const { podSelector: selectorJson } = spec ?? {};
  const selector = selectorJson ?? {};
  const podSelector = problems.read(selectorSchema, selector, "spec.podSelector", allIsolated);
  const types = problems.read(typesSchema, known?.policyTypes, "spec.policyTypes", isolated);
  const ingress = readRules(problems, ingressRule, known?.ingress, "spec.ingress", isolated);
  const egress = readRules(problems, egressRule, known?.egress, "spec.egress", isolated);

  const isFew = areFew(problems, [...(ingress ?? []), ...(egress ?? [])], isolated);
  const whole = isFew && spec && known && podSelector && types && ingress && egress;
  const policy = whole
    ? { ...identity, podSelector, ...sectionsOf(types, ingress, egress) }
    : isolating(identity, spec === undefined ? everything : (podSelector ?? everything));
  return { policy, problems: problems.found };
}

/** `policyTypes` decides; where it is missing: ingress, and egress if there is any. */
function sectionsOf(
  types: readonly ("Ingress" | "Egress")[],
  ingress: readonly AllowRule[],
  egress: readonly AllowRule[],
): Partial<Record<Direction, readonly AllowRule[]>> {
  const isDefault = types.length === 0;
  return {
    ...(isDefault || types.includes("Ingress") ? { ingress } : {}),
    ...((isDefault ? egress.length > 0 : types.includes("Egress")) ? { egress } : {}),
  };
}

function isolating(
  identity: { readonly name: string; readonly namespace: string },
  podSelector: Selector,
): NetworkPolicy {
  return { ...identity, podSelector, ingress: [], egress: [] };
}
