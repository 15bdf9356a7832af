import type { PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";

/** Who is meant by which short id, both ways: of all peers that claim one, the lowest name. */
export class ShortIdTable {
  readonly #owners = new Map<number, PeerName>();
  readonly #ids = new Map<PeerName, number>();

  constructor(peers: RoutesSnapshot["peers"] = []) {
    for (const { name, shortId } of peers) {
      if (shortId === undefined) continue;
      const owner = this.#owners.get(shortId);
      if (owner !== undefined && owner < name) continue;
      if (owner !== undefined) this.#ids.delete(owner);
      this.#owners.set(shortId, name);
      this.#ids.set(name, shortId);
    }
  }

  ownerOf(shortId: number): PeerName | undefined {
    return this.#owners.get(shortId);
  }

  /** `undefined` for a peer that has none, or has to find another one. */
  idOf(peer: PeerName): number | undefined {
    return this.#ids.get(peer);
  }

  entries(): Iterable<readonly [number, PeerName]> {
    return this.#owners;
  }
}
