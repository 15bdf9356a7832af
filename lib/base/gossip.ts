import type { PeerName } from "./peer-name.ts";

/**
 * The contract between the mesh and the owners of its gossip channels (`topology`,
 * `IPallocation`, `nameserver`, …). Payloads are opaque bytes to the mesh; owners know no sockets.
 */

/** What an owner has to say, encoded as late as possible so that the latest state is sent. */
export interface GossipData {
  /** One payload per message; each fits a frame. Called at the moment of sending, maybe often. */
  encode(): Uint8Array[];
  /** Data that says what both say; `newer` wins. Neither operand is used afterwards. */
  merge(newer: GossipData): GossipData;
  /** Whether it says so much that who hears it from several sides is better asked what it lacks. */
  readonly isBulky?: boolean;
  /** Octets that it keeps while it waits; missing for what is looked up when it is sent. */
  readonly heldOctets?: number;
}

/** The owner of a channel, called by the mesh. */
export interface Gossiper {
  /** A payload sent to this peer alone. */
  onUnicast(from: PeerName, payload: Uint8Array): void;
  /** Returns what to pass along the origin's broadcast tree; `undefined` stops the broadcast. */
  onBroadcast(origin: PeerName, payload: Uint8Array): GossipData | undefined;
  /** Periodic state or a delta from a neighbour. Returns what was new, for random neighbours. */
  onGossip(from: PeerName, payload: Uint8Array): GossipData | undefined;
  /** The whole state; `undefined` when there is nothing to say. */
  full(): GossipData | undefined;
  /** How states are compared with those of neighbours that can; missing: states are always sent. */
  readonly comparison?: StateComparison;
}

/**
 * How the owner of a channel and its twin at a neighbour find out what one of them lacks, before any
 * state is sent. Octets are opaque to the mesh.
 *
 *   ours ── digest ──▶ theirs     every period, and when the link is new
 *        ◀── inquiry ──           only if it says something else than their own
 *        ── what they lack ──▶    as gossip
 */
export interface StateComparison {
  /** Stands for what `full` says; `undefined` when the state itself is to be sent. */
  digest(): Uint8Array | undefined;
  /**
   * What to answer to the digest of a neighbour's state; `undefined` when that state would be no
   * news. No octets ask for everything.
   */
  inquire(from: PeerName, digest: Uint8Array): Uint8Array | undefined;
  /** What a neighbour lacks that asked like this; `undefined` for nothing. */
  answer(inquiry: Uint8Array): GossipData | undefined;
}
// A handler throws `WeaveError` for a payload it refuses. The mesh drops the payload, attributes
// it to its origin and reports it; the link it came over stays (mesh-protocol W2).

/** What the mesh gives the owner of a channel. */
export interface Channel {
  /** Sends to one peer, over others if need be. False when there is no route to it. */
  unicast(to: PeerName, payload: Uint8Array): boolean;
  /** Sends to every peer along our own broadcast tree. */
  broadcast(data: GossipData): void;
}
