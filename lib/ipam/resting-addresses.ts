import type { Ipv4 } from "../base/ip.ts";
import { AddressSet } from "./address-set.ts";
import { type AddressRange, contains, singleAddress } from "./range.ts";

/** How long a freed address is passed over while there are others: ARP caches live that long. */
const restMs = 60_000;
const restingMax = 65_536;

/** Addresses freed a short while ago, which neighbours may still take for their former holder's. */
export class RestingAddresses {
  /** When each has rested, oldest first. */
  readonly #rested = new Map<Ipv4, number>();
  #addresses = AddressSet.empty;

  get addresses(): AddressSet {
    return this.#addresses;
  }

  add(address: Ipv4, nowMs: number): void {
    this.remove(address);
    if (this.#rested.size === restingMax) this.remove(this.#rested.keys().next().value!);
    this.#rested.set(address, nowMs + restMs);
    this.#addresses = this.#addresses.with(singleAddress(address));
  }

  remove(address: Ipv4): void {
    if (!this.#rested.delete(address)) return;
    this.#addresses = this.#addresses.without(singleAddress(address));
  }

  /** Lets those go that have rested. */
  expire(nowMs: number): void {
    for (const [address, restedAtMs] of this.#rested) {
      if (restedAtMs > nowMs) return;
      this.remove(address);
    }
  }

  /** The one of `free` in `range` that has rested longest. */
  longestIn(range: AddressRange, free: AddressSet): Ipv4 | undefined {
    return this.#rested.keys().find((address) => contains(range, address) && free.has(address));
  }
}
