import type { Peer, Selector } from "./objects.ts";
import { selectorKey } from "./selector.ts";

/** Pods that something is about: those of one namespace, or of all that a selector selects. */
export interface PodQuery {
  readonly key: string;
  readonly namespaces: { readonly name: string } | { readonly selector: Selector };
  readonly pods: Selector;
}

export interface NodeQuery {
  readonly key: string;
  readonly nodes: Selector;
}

/** Those whose addresses are in a set, under a key that is equal for queries that say the same. */
export type PeerTerm = PodQuery | NodeQuery;

export function podsOfNamespace(name: string, pods: Selector): PodQuery {
  const key = JSON.stringify(["pods of", name, selectorKey(pods)]);
  return { key, namespaces: { name }, pods };
}

export function podsOfNamespaces(selector: Selector, pods: Selector): PodQuery {
  const key = JSON.stringify(["pods in", selectorKey(selector), selectorKey(pods)]);
  return { key, namespaces: { selector }, pods };
}

/**
 * One, or none that could be meant.
 *
 * @param own the namespace of the policy; `undefined` for one of the cluster, which has none
 */
export function termOf(
  peer: Exclude<Peer, { kind: "block" }>,
  own: string | undefined,
): PeerTerm[] {
  if (peer.kind === "nodes") {
    return [{ key: JSON.stringify(["nodes", selectorKey(peer.nodes)]), nodes: peer.nodes }];
  }
  if (peer.namespaces !== "own") return [podsOfNamespaces(peer.namespaces, peer.pods)];
  return own === undefined ? [] : [podsOfNamespace(own, peer.pods)];
}
