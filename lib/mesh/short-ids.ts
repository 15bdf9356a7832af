import type { PeerName } from "../base/peer-name.ts";
import { type Random, randomBelow } from "../base/random.ts";

/** Short ids are 0 … 4095: two of them fit the 24 bits of a VXLAN network identifier. */
export const shortIdsMax = 4096;

/** Tries before the free ids are listed. */
const blindTries = 10;

/**
 * Who owns which short id (mesh-protocol §8.4): of all peers that claim one, the lowest name.
 *
 * `generation` grows whenever an id may mean another peer than before. Whoever derived something
 * from ids, such as the flows of the fast datapath, drops it then. A first use and the end of the
 * last claim do not count, since nothing can depend on them.
 */
export class ShortIds {
  /** Claimants in ascending order, never empty. */
  readonly #claims = new Map<number, PeerName[]>();
  readonly #usedBefore = new Set<number>();
  #generation = 0;

  get generation(): number {
    return this.#generation;
  }

  ownerOf(id: number): PeerName | undefined {
    return this.#claims.get(id)?.[0];
  }

  /** Ids beyond 4095, which the wire could carry, claim nothing. */
  add(id: number | undefined, peer: PeerName): void {
    if (id === undefined || id >= shortIdsMax) return;
    const claimants = this.#claims.get(id);
    if (claimants === undefined) {
      this.#claims.set(id, [peer]);
      if (this.#usedBefore.has(id)) this.#generation++;
      this.#usedBefore.add(id);
      return;
    }
    const at = placeOf(peer, claimants);
    claimants.splice(at, 0, peer);
    if (at === 0) this.#generation++;
  }

  remove(id: number | undefined, peer: PeerName): void {
    const claimants = id === undefined ? undefined : this.#claims.get(id);
    const at = claimants?.indexOf(peer) ?? -1;
    if (id === undefined || claimants === undefined || at < 0) return;
    claimants.splice(at, 1);
    if (claimants.length === 0) this.#claims.delete(id);
    else if (at === 0) this.#generation++;
  }

  /** A random id that nobody claims; `undefined` when all are taken. */
  drawFree(random: Random): number | undefined {
    for (let tries = 0; tries < blindTries; tries++) {
      const id = randomBelow(random, shortIdsMax);
      if (!this.#claims.has(id)) return id;
    }
    const free: number[] = [];
    for (let id = 0; id < shortIdsMax; id++) if (!this.#claims.has(id)) free.push(id);
    return free.length === 0 ? undefined : free[randomBelow(random, free.length)];
  }
}

/** Where a peer belongs among others in ascending order: found by halves, for they may be very many. */
function placeOf(peer: PeerName, others: readonly PeerName[]): number {
  let [from, to] = [0, others.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (others[middle]! < peer) from = middle + 1;
    else to = middle;
  }
  return from;
}
