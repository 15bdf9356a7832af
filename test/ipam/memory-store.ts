import { WeaveError } from "../../lib/base/errors.ts";
import type { Ipv4 } from "../../lib/base/ip.ts";
import type {
  AllocatorChange,
  AllocatorState,
  AllocatorStore,
} from "../../lib/ipam/allocator-store.ts";
import type { HeldAddress } from "../../lib/ipam/held-addresses.ts";

/** A store that outlives the allocators of a test, and fails when told to. */
export class MemoryStore implements AllocatorStore {
  /** Every change saved, oldest first. */
  readonly changes: AllocatorChange[] = [];
  /** While set, nothing can be saved. */
  isFull = false;
  #state: Pick<AllocatorState, "self" | "ring" | "council"> | undefined;
  readonly #held = new Map<Ipv4, HeldAddress>();

  constructor(state?: AllocatorState) {
    this.#state = state;
    for (const row of state?.held ?? []) this.#held.set(row.cidr.address, row);
  }

  load(): AllocatorState | undefined {
    return this.#state && { ...this.#state, held: [...this.#held.values()] };
  }

  save(change: AllocatorChange): void {
    if (this.isFull) throw new WeaveError("STORE_FULL", "no space left on device");
    this.changes.push(change);
    if (change.reset) this.#held.clear();
    for (const address of change.removed) this.#held.delete(address);
    for (const row of change.added) this.#held.set(row.cidr.address, row);
    const ring = change.ring ?? (change.reset ? undefined : this.#state?.ring);
    const council = change.council ?? (change.reset ? undefined : this.#state?.council);
    this.#state = { self: change.self, ring, council };
  }
}
