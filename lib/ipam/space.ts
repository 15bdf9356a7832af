import type { Ipv4 } from "../base/ip.ts";
import { AddressSet } from "./address-set.ts";
import { type AddressRange, singleAddress } from "./range.ts";

/** More changed places than this in one action, and everything is counted anew. */
const changesMax = 64;

/**
 * This peer's view of the ranges that it owns: what is free, the rest being allocated.
 *
 *   owned  ■■■■■■■■■■■■■■■■■■■■■■         ■■■■■■■■
 *   free      ■■■■■   ■■■■■■■■■■■         ■■■■■■■■      allocated = owned − free
 */
export class Space {
  #owned = AddressSet.empty;
  #free = AddressSet.empty;
  #changes: AddressRange[] | "everywhere" = [];

  get owned(): AddressSet {
    return this.#owned;
  }

  get free(): AddressSet {
    return this.#free;
  }

  get allocatedSize(): number {
    return this.#owned.size - this.#free.size;
  }

  /** Whether an address of `range` is not free, because it is allocated or not ours. */
  isInUse(range: AddressRange): boolean {
    return this.#free.countIn(range) < range.end - range.start;
  }

  /** Allocates one address; false when it is not free. */
  take(address: Ipv4): boolean {
    if (!this.#free.has(address)) return false;
    this.#setFree(this.#free.without(singleAddress(address)), singleAddress(address));
    return true;
  }

  /** Frees one address; false when it is not ours. */
  release(address: Ipv4): boolean {
    if (!this.#owned.has(address)) return false;
    this.#setFree(this.#free.with(singleAddress(address)), singleAddress(address));
    return true;
  }

  /**
   * Follows ranges gained and lost. Of what is gained, the addresses `inUse` count as allocated: a
   * range may come back while containers still hold addresses in it.
   */
  follow(owned: AddressSet, inUse: AddressSet): void {
    const gained = owned.difference(this.#owned).difference(inUse);
    this.#free = this.#free.intersection(owned).union(gained);
    this.#owned = owned;
    this.#changes = "everywhere";
  }

  /** Where the number of free addresses may differ since the last call. */
  takeChanges(): readonly AddressRange[] | "everywhere" {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  #setFree(free: AddressSet, where: AddressRange): void {
    this.#free = free;
    if (this.#changes === "everywhere") return;
    if (this.#changes.length === changesMax) this.#changes = "everywhere";
    else this.#changes.push(where);
  }
}
