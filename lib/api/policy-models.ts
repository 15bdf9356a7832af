import * as v from "valibot";
import { textsByName } from "../base/schema.ts";
import { told } from "./json-schema.ts";

/** Bodies and answers of the routes for policies (`policy-routes.ts`). */

/** More documents than a command has. */
const documentsMax = 1024;
const expectationsMax = 65_536;

const protocols = ["TCP", "UDP", "SCTP", "ICMP"] as const;

const documents = v.optional(v.pipe(v.array(v.unknown()), v.maxLength(documentsMax)), []);
const namespace = v.optional(v.string(), "default");

const objectName = {
  kind: told(v.string(), "NetworkPolicy, Namespace, …"),
  namespace: told(v.string(), "empty for what is of none"),
  name: v.string(),
};

export const applyBody = v.object({ documents, namespace });

export const deleteBody = v.object({
  documents,
  names: v.optional(
    v.pipe(
      v.array(v.object({ kind: v.string(), namespace: v.string(), name: v.string() })),
      v.maxLength(documentsMax),
    ),
    [],
  ),
  namespace,
});

export const testBody = v.object({
  documents,
  namespace,
  tables: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(expectationsMax)), []),
});

export const changesAnswer = v.object({
  changes: v.array(
    v.object({
      ...objectName,
      change: v.picklist(["created", "changed", "unchanged", "deleted", "absent"]),
    }),
  ),
  warnings: told(v.array(v.string()), "what is not understood, and what holds instead"),
});

const pod = v.object({
  namespace: v.string(),
  name: v.string(),
  container: told(v.string(), "as `weave ps` lists it, or the pod's UID"),
  host: told(v.string(), "the peer on whose host it is; empty when unknown"),
  addresses: v.array(v.string()),
  labels: textsByName,
  ports: v.array(v.object({ name: v.string(), protocol: v.string(), port: v.number() })),
});

export const policyListAnswer = v.object({
  policies: v.array(
    v.object({
      ...objectName,
      document: told(v.unknown(), "as it is applied; null for those of a cluster"),
    }),
  ),
  pods: told(v.array(pod), "whom policies are about, on all hosts"),
  hosts: v.array(
    v.object({
      peer: v.string(),
      nickname: v.string(),
      enforcer: told(v.string(), "`nftables` or `iptables`; empty: it enforces nothing"),
    }),
  ),
  warnings: told(v.array(v.string()), "what is not understood, and what holds instead"),
});

const decision = v.object({
  allowed: v.boolean(),
  because: v.picklist(["rule", "isolated", "unselected", "no-pod", "itself", "own-node"]),
  policies: told(v.array(v.string()), "that decide"),
  rule: told(v.nullable(v.string()), "where the rule stands in its policy"),
  sentence: v.string(),
});

const verdict = {
  from: v.string(),
  to: v.string(),
  protocol: v.picklist(protocols),
  port: told(v.nullable(v.number()), "null for ICMP"),
  allowed: v.boolean(),
  egress: told(decision, "what the first may send"),
  ingress: told(decision, "what the second may receive"),
};

export const policyExplanation = v.object({
  ...verdict,
  enforced: told(v.boolean(), "whether this host enforces policies now"),
});

const portSpan = v.object({
  protocol: v.picklist(protocols),
  first: told(v.nullable(v.number()), "null for ICMP"),
  last: told(v.nullable(v.number()), "included"),
});

export const policyWays = v.object({
  enforced: told(v.boolean(), "whether this host enforces policies now"),
  ways: told(
    v.array(
      v.object({
        from: v.string(),
        to: v.string(),
        verdicts: told(
          v.array(
            v.object({
              spans: told(v.array(portSpan), "what is judged alike"),
              allowed: v.boolean(),
              egress: decision,
              ingress: decision,
            }),
          ),
          "what is about the fewest ports first, the rest last",
        ),
        complete: told(v.boolean(), "false where policies name more ports than are looked at"),
      }),
    ),
    "there and back",
  ),
});

export const testAnswer = v.object({
  rows: v.array(v.object({ ...verdict, expected: v.boolean(), met: v.boolean() })),
  failed: told(v.number(), "expectations that are not met"),
  warnings: v.array(v.string()),
});

export const policyProtocol = v.picklist(protocols);
