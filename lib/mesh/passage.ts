import type { PeerName } from "../base/peer-name.ts";
import type { DeliveredMessage } from "./connection.ts";
import { originOf } from "./gossip-router.ts";
import { isChannelMessage, type OutgoingMessage } from "./protocol-message.ts";

/** A message of gossip that has come by one of our links, or goes on its way there. */
export interface Passage {
  readonly direction: "in" | "out";
  /** Whose link it is. */
  readonly neighbour: PeerName;
  readonly kind: "gossip" | "unicast" | "broadcast" | "digest" | "inquiry";
  readonly channel: string;
  /** Who said it, as far as the message names anybody. */
  readonly origin: PeerName | undefined;
  /** Of the payload. */
  readonly bytes: number;
}

export interface PassageWatcher {
  /** Gossip comes or goes by one of our links. */
  onPassage?(passage: Passage): void;
}

/** Tells who watches of a message, unless that is no gossip. */
export function tellPassage(
  watcher: PassageWatcher,
  direction: Passage["direction"],
  neighbour: PeerName,
  message: DeliveredMessage | OutgoingMessage,
): void {
  if (!isChannelMessage(message)) return;
  const { kind, channel, payload } = message;
  const [origin, bytes] = [originOf(message), payload.length];
  watcher.onPassage?.({ direction, neighbour, kind, channel, origin, bytes });
}
