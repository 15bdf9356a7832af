import type { PeerName } from "../base/peer-name.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import type { Word } from "./reclaim-codec.ts";

/** What the council is about to say, by receiver, until the state behind it is stored. */
export class CouncilWords {
  readonly #self: PeerName;
  readonly #peers: AllocatorPeers;
  readonly #greeted = new Set<PeerName>();
  #words: { to: PeerName; word: Word }[] = [];

  constructor(self: PeerName, peers: AllocatorPeers) {
    this.#self = self;
    this.#peers = peers;
  }

  say(to: PeerName, word: Word): void {
    this.#words.push({ to, word });
  }

  /** Peers that are new to us learn that we are of their kind; others see a plain ring update. */
  greet(): void {
    for (const peer of this.#greeted) if (!this.#peers.isKnown(peer)) this.#greeted.delete(peer);
    for (const peer of this.#peers.knownPeers()) {
      if (peer === this.#self || this.#greeted.has(peer) || !this.#peers.canReach(peer)) continue;
      this.#greeted.add(peer);
      this.say(peer, { kind: "greeting" });
    }
  }

  take(): Map<PeerName, Word[]> {
    const byPeer = Map.groupBy(this.#words, ({ to }) => to);
    this.#words = [];
    return new Map([...byPeer].map(([to, said]) => [to, said.map(({ word }) => word)]));
  }
}
