import type { ShortId } from "../../../overlay/fastdp/ports.ts";
import { trafficSlots } from "./tables.ts";

/** Which neighbour's frames count in which row of the table `traffic`. */
export class TrafficSlots {
  readonly #byId = new Map<ShortId, number>();
  readonly #used = new Set<number>();

  /** A neighbour has a slot already, of an earlier process. 0 is none. */
  adopt(shortId: ShortId, slot: number): void {
    if (slot === 0) return;
    this.#byId.set(shortId, slot);
    this.#used.add(slot);
  }

  /** That of a neighbour, from now on if it has none; 0 when all are taken. */
  take(shortId: ShortId): number {
    const known = this.#byId.get(shortId);
    if (known !== undefined) return known;
    for (let slot = 1; slot < trafficSlots; slot++) {
      if (this.#used.has(slot)) continue;
      this.adopt(shortId, slot);
      return slot;
    }
    return 0;
  }

  of(shortId: ShortId): number | undefined {
    return this.#byId.get(shortId);
  }

  /** What counted there stays: who has it next begins from that. */
  release(shortId: ShortId): void {
    const slot = this.#byId.get(shortId);
    if (slot === undefined) return;
    this.#byId.delete(shortId);
    this.#used.delete(slot);
  }
}
