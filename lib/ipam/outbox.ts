import type { Channel, GossipData } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";

/**
 * What an action has to say to other peers. Nothing leaves before the action is over and what it did
 * is stored: a range that somebody else believes to own must not be ours again after a crash.
 */
export class Outbox {
  #unicasts: { to: PeerName; payload: Uint8Array }[] = [];
  #broadcastWanted = false;

  /** Whether anything is to be sent. */
  get isWaiting(): boolean {
    return this.#broadcastWanted || this.#unicasts.length > 0;
  }

  /** `payload` shows the situation now, not at the end of the action. */
  unicast(to: PeerName, payload: Uint8Array): void {
    this.#unicasts.push({ to, payload });
  }

  /** Any number of broadcasts of one action are one, made when it is sent. */
  broadcast(): void {
    this.#broadcastWanted = true;
  }

  /** Unicasts first, so that whoever asked hears the answer before the others do. */
  send(channel: Channel, state: GossipData): void {
    const unicasts = this.#unicasts;
    const broadcastWanted = this.#broadcastWanted;
    this.#unicasts = [];
    this.#broadcastWanted = false;
    for (const { to, payload } of unicasts) channel.unicast(to, payload);
    if (broadcastWanted) channel.broadcast(state);
  }

  /** Forgets what was meant for single peers, who will ask again. */
  dropUnicasts(): void {
    this.#unicasts = [];
  }
}
