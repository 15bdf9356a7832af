import * as v from "valibot";
import { parsedBy } from "../base/schema.ts";
import { kubernetesError } from "./kubernetes-error.ts";

/** Where nodes, old and new, write down who is who (kubernetes §5). */
export const peerListPlace = { namespace: "kube-system", name: "weave-net" } as const;

const prefix = "kube-peers.weave.works/";
const listAnnotation = `${prefix}peers`;

/** A peer and the node that it runs on. */
export interface ListedPeer {
  /** Canonical text. */
  readonly peerName: string;
  readonly nodeName: string;
}

type Annotations = Readonly<Record<string, string>>;

const listSchema = v.object({
  Peers: v.optional(
    v.nullish(v.array(v.object({ PeerName: v.string(), NodeName: v.string() })), []),
    [],
  ),
});

/**
 * The list of a cluster's peers, and who is taking over from whom, as annotations of one config map:
 *
 *   kube-peers.weave.works/peers              {"Peers":[{"PeerName":"…","NodeName":"…"},…]}
 *   kube-peers.weave.works/<peer that is gone>  name of the peer that takes its ranges over: a lock
 *
 * A value: each change is another one, to be written back as a whole.
 */
export class PeerList {
  readonly #annotations: Annotations;
  /** Of the config map: another one is another list. Empty while there is none. */
  readonly uid: string;
  readonly peers: readonly ListedPeer[];

  /** @throws WeaveError `K8S_PEER_LIST` for one that nobody can read, which must not be lost */
  constructor(annotations: Annotations, uid = "") {
    this.#annotations = annotations;
    this.uid = uid;
    this.peers = parseList(annotations[listAnnotation] ?? "{}");
  }

  /** All that is to be written back, annotations of others included. */
  get annotations(): Annotations {
    return this.#annotations;
  }

  has(peerName: string): boolean {
    return this.peers.some((each) => each.peerName === peerName);
  }

  /** Who has the lock of a peer. */
  holderOf(peerName: string): string | undefined {
    return this.#annotations[lockOf(peerName)];
  }

  /** With a peer, or with another node for it; itself when it is there. */
  withPeer(peer: ListedPeer): PeerList {
    const known = this.peers.find((each) => each.peerName === peer.peerName);
    if (known?.nodeName === peer.nodeName) return this;
    const others = this.peers.filter((each) => each !== known);
    return this.#with({ [listAnnotation]: listText([...others, peer]) });
  }

  /** With the lock of a peer in the hand of another one. */
  withLock(peerName: string, holder: string): PeerList {
    return this.#with({ [lockOf(peerName)]: holder });
  }

  /** Without the lock of a peer, where `holder` has it; else itself. */
  withoutLock(peerName: string, holder: string): PeerList {
    return this.holderOf(peerName) === holder
      ? this.#without((key) => key === lockOf(peerName))
      : this;
  }

  /** Without a peer whose ranges were taken, its lock, and all locks that it had. */
  withoutPeer(peerName: string): PeerList {
    const rest = this.#without(
      (key, value) =>
        key === lockOf(peerName) ||
        (key.startsWith(prefix) && key !== listAnnotation && value === peerName),
    );
    if (!rest.has(peerName)) return rest;
    const others = rest.peers.filter((each) => each.peerName !== peerName);
    return rest.#with({ [listAnnotation]: listText(others) });
  }

  #with(more: Annotations): PeerList {
    return new PeerList({ ...this.#annotations, ...more }, this.uid);
  }

  #without(goes: (key: string, value: string) => boolean): PeerList {
    const kept = Object.entries(this.#annotations).filter(([key, value]) => !goes(key, value));
    const isSame = kept.length === Object.keys(this.#annotations).length;
    return isSame ? this : new PeerList(Object.fromEntries(kept), this.uid);
  }
}

/** Names of annotations have no colons. */
function lockOf(peerName: string): string {
  return prefix + peerName.replace(/[^A-Za-z0-9._/-]/g, "_");
}

function listText(peers: readonly ListedPeer[]): string {
  const Peers = peers.map(({ peerName, nodeName }) => ({ PeerName: peerName, NodeName: nodeName }));
  return JSON.stringify({ Peers });
}

function parseList(text: string): ListedPeer[] {
  const refuse = (why: string) =>
    kubernetesError("K8S_PEER_LIST", `the list of the cluster's peers cannot be read: ${why}`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw refuse("it is no JSON");
  }
  const { Peers } = parsedBy(listSchema, raw, listAnnotation, refuse);
  return Peers.map(({ PeerName, NodeName }) => ({ peerName: PeerName, nodeName: NodeName }));
}
