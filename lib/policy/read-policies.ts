import { WeaveError } from "../base/errors.ts";
import type { ClusterPolicy, NetworkPolicy } from "./objects.ts";
import { formatPolicyName, nameOfClusterPolicy, nameOfPolicy } from "./policy-name.ts";
import type { PolicyProblem } from "./policy-problem.ts";
import { readClusterPolicy } from "./read-cluster-policy.ts";
import { readNetworkPolicy } from "./read-network-policy.ts";

/** Policies of all kinds, in the order in which they came. */
export interface PolicyDocument {
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly clusterPolicies: readonly ClusterPolicy[];
  readonly problems: readonly DocumentProblem[];
}

export interface DocumentProblem extends PolicyProblem {
  /** `shop/web`, or `AdminNetworkPolicy dmz`. */
  readonly policy: string;
}

const apiVersions = {
  NetworkPolicy: "networking.k8s.io/v1",
  AdminNetworkPolicy: "policy.networking.k8s.io/v1alpha1",
  BaselineAdminNetworkPolicy: "policy.networking.k8s.io/v1alpha1",
} as const;

type Kind = keyof typeof apiVersions;

/**
 * Policies out of a document of Kubernetes: one object, or a list of them, be it `List` or one of a
 * kind. Something else among them is refused, for it may be a policy whose kind was misspelt.
 *
 * @throws WeaveError `POLICY_FORMAT`, `POLICY_KIND`
 */
export function readPolicies(...documents: readonly unknown[]): PolicyDocument {
  const networkPolicies: NetworkPolicy[] = [];
  const clusterPolicies: ClusterPolicy[] = [];
  const problems: DocumentProblem[] = [];
  for (const { kind, json } of documents.flatMap((document) => objectsOf(document, undefined))) {
    if (kind === "NetworkPolicy") {
      const read = readNetworkPolicy(json);
      networkPolicies.push(read.policy);
      const policy = formatPolicyName(nameOfPolicy(read.policy));
      problems.push(...read.problems.map((problem) => ({ ...problem, policy })));
    } else {
      const read = readClusterPolicy(kind === "AdminNetworkPolicy" ? "admin" : "baseline", json);
      clusterPolicies.push(read.policy);
      const policy = formatPolicyName(nameOfClusterPolicy(read.policy));
      problems.push(...read.problems.map((problem) => ({ ...problem, policy })));
    }
  }
  return { networkPolicies, clusterPolicies, problems };
}

/** What servers send in a list of one kind has neither kind nor version of its own. */
interface Inherited {
  readonly kind: string;
  readonly apiVersion: unknown;
}

function objectsOf(
  json: unknown,
  inherited: Inherited | undefined,
): { kind: Kind; json: unknown }[] {
  if (typeof json !== "object" || json === null) {
    throw formatError("a document of policies is no object");
  }
  const own = json as { kind?: unknown; apiVersion?: unknown; items?: unknown };
  const kind = own.kind ?? inherited?.kind;
  const apiVersion = own.apiVersion ?? inherited?.apiVersion;
  if (typeof kind !== "string" || kind === "")
    throw formatError("a document of policies has no 'kind'");
  if (kind.endsWith("List") && inherited === undefined) {
    if (!Array.isArray(own.items)) throw formatError(`${kind} has no 'items'`);
    const item = kind.slice(0, -"List".length);
    return own.items.flatMap((each) => objectsOf(each, { kind: item, apiVersion }));
  }
  if (!isKind(kind) || apiVersion !== apiVersions[kind]) {
    throw new WeaveError(
      "POLICY_KIND",
      `${kind} of ${String(apiVersion)} is no policy known here`,
      {
        remedy: `give objects that are ${describedKinds()}`,
      },
    );
  }
  return [{ kind, json }];
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(apiVersions, kind);
}

function describedKinds(): string {
  return Object.entries(apiVersions)
    .map(([kind, version]) => `${kind} of ${version}`)
    .join(", ");
}

function formatError(sentence: string): WeaveError {
  return new WeaveError("POLICY_FORMAT", sentence, {
    remedy: "give a NetworkPolicy of networking.k8s.io/v1, or a List of such objects",
  });
}
