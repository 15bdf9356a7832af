import * as v from "valibot";
import { tryParseHostIp } from "../../base/ip.ts";
import { labelsOf } from "../../policy/labels.ts";
import type { Node } from "../../policy/objects.ts";
import { parseJson } from "./pod-document.ts";

/** What peers tell each other of a host: the content of a record of kind `Host`, as JSON. */
const hostDocument = v.object({
  nickname: v.string(),
  /** Those of its bridge. */
  addresses: v.array(v.string()),
  /** What filters there; empty for a host that enforces nothing, by choice or by failure. */
  enforcer: v.string(),
});

export type HostDocument = Readonly<v.InferOutput<typeof hostDocument>>;

/** The label by which policies choose hosts, as nodes of Kubernetes have it. */
export const hostnameLabel = "kubernetes.io/hostname";

export function writeHost(host: HostDocument): string {
  return JSON.stringify(host);
}

/** `undefined` for what is no host. */
export function readHost(content: string): HostDocument | undefined {
  const parsed = v.safeParse(hostDocument, parseJson(content));
  return parsed.success ? parsed.output : undefined;
}

export function nodeOf(peer: string, { nickname, addresses }: HostDocument): Node {
  return {
    name: peer,
    labels: labelsOf({ [hostnameLabel]: nickname }),
    addresses: addresses.flatMap((text) => tryParseHostIp(text) ?? []),
  };
}
