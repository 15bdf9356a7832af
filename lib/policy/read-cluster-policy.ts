import * as v from "valibot";
import { parseCidr } from "../base/ip.ts";
import type { ClusterPolicy, ClusterRule, Peer } from "./objects.ts";
import { clusterPolicyKinds } from "./policy-name.ts";
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
import { cidrPeerSchema } from "./read-peer.ts";
import { clusterPortSchema, hasField } from "./read-port.ts";
import { selectorSchema } from "./read-selector.ts";
import { everything } from "./selector.ts";

const podsField = v.strictObject({
  namespaceSelector: selectorSchema,
  podSelector: selectorSchema,
});

const podsPeer = v.pipe(
  v.strictObject({ pods: podsField }),
  v.transform(({ pods }): Peer[] => [
    { kind: "pods", namespaces: pods.namespaceSelector, pods: pods.podSelector },
  ]),
);

const namespacesPeer = v.pipe(
  v.strictObject({ namespaces: selectorSchema }),
  v.transform(({ namespaces }): Peer[] => [{ kind: "pods", namespaces, pods: everything }]),
);

const nodesPeer = v.pipe(
  v.strictObject({ nodes: selectorSchema }),
  v.transform(({ nodes }): Peer[] => [{ kind: "nodes", nodes }]),
);

const networksPeer = v.pipe(
  v.strictObject({ networks: v.pipe(v.array(cidrPeerSchema), v.nonEmpty("is empty")) }),
  v.transform(({ networks }): Peer[] => networks),
);

const insidePeer = v.lazy((value) => (hasField(value, "pods") ? podsPeer : namespacesPeer));

const outsidePeer = v.lazy((value) => {
  if (hasField(value, "networks")) return networksPeer;
  return hasField(value, "nodes") ? nodesPeer : insidePeer;
});

const ports = v.pipe(
  v.nullish(v.array(clusterPortSchema), []),
  v.transform((items) => (items.length === 0 ? ("any" as const) : items)),
);

function peersOf(item: v.GenericSchema<unknown, Peer[]>) {
  return v.pipe(
    v.array(item),
    v.nonEmpty("is empty"),
    v.transform((lists) => lists.flat()),
  );
}

const actions = { Allow: "allow", Deny: "deny", Pass: "pass" } as const;

const anywhere: readonly Peer[] = ["0.0.0.0/0", "::/0"].map((text) => {
  return { kind: "block", block: parseCidr(text), except: [] };
});

/** A rule that cannot be read allows nothing; one that may forbid something forbids all. */
function closed(json: unknown): ClusterRule {
  const fields = typeof json === "object" && json !== null ? json : {};
  const name = "name" in fields && typeof fields.name === "string" ? fields.name : "";
  const isAllow = "action" in fields && fields.action === "Allow";
  return { name, action: isAllow ? "allow" : "deny", peers: isAllow ? [] : anywhere, ports: "any" };
}

function ruleReader(
  tier: ClusterPolicy["tier"],
  field: "from" | "to",
): RuleReader<v.GenericSchema<unknown, ClusterRule>> {
  const known =
    tier === "admin" ? (["Allow", "Deny", "Pass"] as const) : (["Allow", "Deny"] as const);
  const common = { name: v.nullish(v.string(), ""), action: v.picklist(known), ports };
  const schema =
    field === "from"
      ? v.pipe(
          v.strictObject({ ...common, from: peersOf(insidePeer) }),
          v.transform(({ from, ...rest }) => ({ ...rest, peers: from })),
        )
      : v.pipe(
          v.strictObject({ ...common, to: peersOf(outsidePeer) }),
          v.transform(({ to, ...rest }) => ({ ...rest, peers: to })),
        );
  return {
    schema: v.pipe(
      schema,
      v.transform((rule): ClusterRule => ({ ...rule, action: actions[rule.action] })),
    ),
    closed,
    effect: "the rule denies everything, or if it is to allow, allows nothing",
  };
}

const subjectSchema = v.lazy((value) =>
  hasField(value, "pods")
    ? v.pipe(
        v.strictObject({ pods: podsField }),
        v.transform(({ pods }) => ({ namespaces: pods.namespaceSelector, pods: pods.podSelector })),
      )
    : v.pipe(
        v.strictObject({ namespaces: selectorSchema }),
        v.transform(({ namespaces }) => ({ namespaces, pods: everything })),
      ),
);

const prioritySchema = v.pipe(
  v.number(),
  v.integer("is no whole number"),
  v.minValue(0, "is less than 0"),
  v.maxValue(1000, "is more than 1000"),
);

const fields = {
  admin: ["priority", "subject", "ingress", "egress"],
  baseline: ["subject", "ingress", "egress"],
} as const;

/**
 * An AdminNetworkPolicy (tier `admin`) or BaselineAdminNetworkPolicy of
 * `policy.networking.k8s.io/v1alpha1`. What is not understood is denied: see {@link closed}, and a
 * policy that cannot be read as a whole denies everything to its subject, at its priority, or before
 * all others where that cannot be read.
 *
 * @throws WeaveError `POLICY_FORMAT` for what has no name
 */
export function readClusterPolicy(
  tier: ClusterPolicy["tier"],
  json: unknown,
): ReadPolicy<ClusterPolicy> {
  const { name } = identityOf(json);
  const problems = new ProblemCollector();
  const denied = "the policy denies everything to its subject";
  const allDenied = `${clusterPolicyKinds[tier]} ${name} denies everything to all pods`;

  const spec = readSpec(problems, json, allDenied);
  const { subject: subjectJson, priority: priorityJson } = spec ?? {};
  const known = readFields<string>(problems, spec ?? {}, fields[tier], denied);
  const subject = problems.read(subjectSchema, subjectJson, "spec.subject", allDenied);
  const priority =
    tier === "baseline" ? 0 : problems.read(prioritySchema, priorityJson, "spec.priority", denied);
  const rules = (field: "from" | "to", list: "ingress" | "egress") =>
    readRules(problems, ruleReader(tier, field), known?.[list], `spec.${list}`, denied);
  const ingress = rules("from", "ingress");
  const egress = rules("to", "egress");

  const isFew = areFew(problems, [...(ingress ?? []), ...(egress ?? [])], denied);
  const whole = isFew && spec && known && subject && priority !== undefined && ingress && egress;
  const policy: ClusterPolicy = whole
    ? { tier, name, priority, subject, ingress, egress }
    : denying({ tier, name, priority: priority ?? 0 }, subject);
  return { policy, problems: problems.found };
}

function denying(
  identity: Pick<ClusterPolicy, "tier" | "name" | "priority">,
  subject: ClusterPolicy["subject"] = { namespaces: everything, pods: everything },
): ClusterPolicy {
  const rule: ClusterRule = { name: "", action: "deny", peers: anywhere, ports: "any" };
  return { ...identity, subject, ingress: [rule], egress: [rule] };
}
