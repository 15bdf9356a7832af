import { cutNickname } from "../base/nickname.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";

/** More peers than any cluster has: all of them are in every message that says what we know. */
const nicknamesMax = 16_384;

/** What peers call themselves, as heard from all. Not unique. */
export class Nicknames {
  readonly #self: PeerName;
  readonly #names = new Map<PeerName, string>();

  constructor(self: PeerName, nickname: string) {
    this.#self = self;
    this.#names.set(self, nickname);
  }

  entries(): [PeerName, string][] {
    return [...this.#names];
  }

  get(peer: PeerName): string | undefined {
    return this.#names.get(peer);
  }

  /** `name(nickname)`. */
  describe(peer: PeerName): string {
    return `${formatPeerName(peer)}(${this.get(peer) ?? ""})`;
  }

  /** Nobody tells us our own name. */
  merge(heard: Iterable<readonly [PeerName, string]>): void {
    for (const [peer, nickname] of heard) {
      if (peer === this.#self) continue;
      if (this.#names.size >= nicknamesMax && !this.#names.has(peer)) continue;
      this.#names.set(peer, cutNickname(nickname));
    }
  }

  /** Forgets peers that nobody asks about any more. */
  keepOnly(isNeeded: (peer: PeerName) => boolean): void {
    for (const peer of this.#names.keys()) {
      if (peer !== this.#self && !isNeeded(peer)) this.#names.delete(peer);
    }
  }

  peersCalled(nickname: string): PeerName[] {
    return this.entries().flatMap(([peer, name]) => (name === nickname ? [peer] : []));
  }
}
