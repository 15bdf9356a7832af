import * as v from "valibot";
import { WeaveError } from "../../base/errors.ts";
import { parsedBy, textsByName } from "../../base/schema.ts";
import { contentMax, type RecordName } from "../../policy/gossip/shared-record.ts";
import { namespaceOf } from "../../policy/labels.ts";
import type { ClusterPolicy, Namespace, NetworkPolicy } from "../../policy/objects.ts";
import type { PolicyProblem } from "../../policy/policy-problem.ts";
import { readClusterPolicy } from "../../policy/read-cluster-policy.ts";
import { readNetworkPolicy } from "../../policy/read-network-policy.ts";
import { parseJson } from "./pod-document.ts";

/** What `weave policy` takes, by kind. */
export const documentKinds = {
  Namespace: { apiVersion: "v1", isNamespaced: false },
  NetworkPolicy: { apiVersion: "networking.k8s.io/v1", isNamespaced: true },
  AdminNetworkPolicy: { apiVersion: "policy.networking.k8s.io/v1alpha1", isNamespaced: false },
  BaselineAdminNetworkPolicy: {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    isNamespaced: false,
  },
} as const;

export type DocumentKind = keyof typeof documentKinds;

/** The namespace of whatever does not say one. */
export const defaultNamespace = "default";

/** Names as Kubernetes has them (RFC 1123). */
const objectName = v.pipe(
  v.string(),
  v.maxLength(253, "is longer than 253 characters"),
  v.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "is no name: write a to z, 0 to 9, - and ."),
);

const namespaceName = v.pipe(
  v.string(),
  v.maxLength(63, "is longer than 63 characters"),
  v.regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    "is no name of a namespace: write a to z, 0 to 9 and -",
  ),
);

const identity = v.object({
  kind: v.string(),
  apiVersion: v.string(),
  metadata: v.object({
    name: objectName,
    namespace: v.nullish(namespaceName),
    labels: v.nullish(textsByName),
  }),
});

/** A document that was read and may be told to others. */
export interface PolicyDocument extends RecordName {
  readonly kind: DocumentKind;
  readonly content: string;
  /** What of it is not understood; less is allowed for it. */
  readonly problems: readonly PolicyProblem[];
}

/** What a document is to the packet filter. */
export type ReadDocument =
  | { readonly kind: "namespace"; readonly namespace: Namespace }
  | {
      readonly kind: "network";
      readonly policy: NetworkPolicy;
      readonly problems: readonly PolicyProblem[];
    }
  | {
      readonly kind: "cluster";
      readonly policy: ClusterPolicy;
      readonly problems: readonly PolicyProblem[];
    };

/**
 * Reads a document of Kubernetes that is to be told to all peers. Of `metadata` its names and labels
 * stay, and nothing of `status`: that is of whoever wrote it. Fields beside these that are not known
 * stay as well, for who reads the policy to say so: most are parts of `spec` that stand too far left.
 *
 * @param within namespace of a policy that names none
 * @throws WeaveError `POLICY_FORMAT`, `POLICY_KIND`, `POLICY_TOO_LARGE`
 */
export function takeDocument(json: unknown, within = defaultNamespace): PolicyDocument {
  const { kind, apiVersion, metadata } = parsedBy(identity, json, "the document", formatError);
  if (!isDocumentKind(kind) || documentKinds[kind].apiVersion !== apiVersion) {
    throw unknownKind(kind, apiVersion);
  }
  const { name, labels } = metadata;
  const scope = documentKinds[kind].isNamespaced ? (metadata.namespace ?? namespaceIn(within)) : "";
  const document = {
    ...{ apiVersion, kind },
    metadata: { name, ...(scope !== "" && { namespace: scope }), ...(labels && { labels }) },
    ...(kind !== "Namespace" && fieldsBeside(json as object)),
  };
  const content = JSON.stringify(document);
  if (content.length > contentMax) throw tooLarge(`${kind} ${name}`, content.length);
  const read = readDocument({ kind, scope, name }, document);
  const problems = read.kind === "namespace" ? [] : read.problems;
  return { kind, scope, name, content, problems };
}

const takenFields: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);

/** `spec`, and whatever else stands beside what is taken field by field. */
function fieldsBeside(json: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([field]) => !takenFields.has(field)));
}

/** @throws WeaveError `POLICY_FORMAT` */
function namespaceIn(within: string): string {
  return parsedBy(namespaceName, within, `the namespace "${within}"`, formatError);
}

/** The same as it came from a peer or the disk: what cannot be read at all denies all it may be about. */
export function readContent(
  named: RecordName & { readonly kind: DocumentKind },
  content: string,
): ReadDocument {
  const json = parseJson(content);
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return readDocument(named, isObject ? json : { spec: content });
}

export function isDocumentKind(kind: string): kind is DocumentKind {
  return Object.hasOwn(documentKinds, kind);
}

/** It has the name under which it is told, whatever it says itself. */
function readDocument(
  { kind, scope, name }: RecordName & { readonly kind: DocumentKind },
  json: object,
): ReadDocument {
  const labels = labelsIn(json);
  const named = { ...json, metadata: { name, ...(scope !== "" && { namespace: scope }), labels } };
  switch (kind) {
    case "Namespace":
      return { kind: "namespace", namespace: namespaceOf(name, labels) };
    case "NetworkPolicy":
      return { kind: "network", ...readNetworkPolicy(named) };
    case "AdminNetworkPolicy":
      return { kind: "cluster", ...readClusterPolicy("admin", named) };
    case "BaselineAdminNetworkPolicy":
      return { kind: "cluster", ...readClusterPolicy("baseline", named) };
  }
}

function labelsIn(json: object): Record<string, string> {
  const parsed = v.safeParse(v.object({ metadata: v.object({ labels: textsByName }) }), json);
  return parsed.success ? parsed.output.metadata.labels : {};
}

function formatError(why: string): WeaveError {
  return new WeaveError("POLICY_FORMAT", `this is no document of a policy: ${why}`, {
    remedy: "write apiVersion, kind, metadata with a name, and spec, as Kubernetes has them",
  });
}

/** Other hosts would not take it, and this one would not have it any more when it starts again. */
function tooLarge(label: string, characters: number): WeaveError {
  const sentence = `${label} has ${characters} characters as JSON, and may have ${contentMax}`;
  return new WeaveError("POLICY_TOO_LARGE", sentence, {
    remedy: "divide it: what several NetworkPolicies allow adds up",
  });
}

function unknownKind(kind: string, apiVersion: string): WeaveError {
  const known = Object.entries(documentKinds).map(
    ([each, { apiVersion }]) => `${each} of ${apiVersion}`,
  );
  return new WeaveError("POLICY_KIND", `${kind} of ${apiVersion} is no kind of policy`, {
    remedy: `write ${known.join(", ")}`,
  });
}
