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
