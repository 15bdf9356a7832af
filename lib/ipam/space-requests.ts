import type { PeerName } from "../base/peer-name.ts";
import { type AddressRange, equalRanges, formatRange } from "./range.ts";

/** An answer that has not come within a tick is taken for lost, so no more than these pile up. */
const outstandingMax = 4096;
const denialsMax = 1024;

const pauseMinMs = 5_000;
const pauseMaxMs = 60_000;

interface Denial {
  /** Addresses that the donor seemed to have free when it denied. */
  readonly free: number;
  readonly pauseMs: number;
  readonly untilMs: number;
}

/**
 * Whom we have asked for space, and who had none.
 *
 *   asked ──ring update──▶ answered          one question a range at a time: an update that comes
 *     └────denied──▶ denied ──update──▶      while the answer is under way asks nothing again
 *
 * Answers of one peer come in the order of the questions, and each ends with a ring update. A donor
 * that denied is left alone for a pause that doubles, unless it reports more free addresses.
 */
export class SpaceRequests {
  readonly #asked = new Map<PeerName, { range: AddressRange; denied: boolean }[]>();
  #askedSize = 0;
  readonly #denials = new Map<string, Denial>();

  isOutstanding(range: AddressRange): boolean {
    for (const asked of this.#asked.values()) {
      if (asked.some((each) => !each.denied && equalRanges(each.range, range))) return true;
    }
    return this.#askedSize >= outstandingMax;
  }

  /** Who has not answered. */
  get awaited(): PeerName[] {
    return [...this.#asked].flatMap(([peer, asked]) => (asked.length > 0 ? peer : []));
  }

  asked(peer: PeerName, range: AddressRange): void {
    const asked = this.#asked.get(peer) ?? [];
    asked.push({ range, denied: false });
    this.#asked.set(peer, asked);
    this.#askedSize++;
  }

  /** A ring update came from `peer`: the end of its oldest answer. */
  answered(peer: PeerName): void {
    if (this.#asked.get(peer)?.shift() !== undefined) this.#askedSize--;
  }

  /** `peer`, which seems to have `free` addresses there, says that `range` has none to give. */
  denied(peer: PeerName, range: AddressRange, free: number, nowMs: number): void {
    for (const asked of this.#asked.get(peer) ?? []) {
      if (equalRanges(asked.range, range)) asked.denied = true;
    }
    const key = keyOf(peer, range);
    const pauseMs = Math.min(2 * (this.#denials.get(key)?.pauseMs ?? pauseMinMs / 2), pauseMaxMs);
    this.#denials.delete(key);
    this.#denials.set(key, { free, pauseMs, untilMs: nowMs + pauseMs });
    if (this.#denials.size > denialsMax) this.#denials.delete(this.#denials.keys().next().value!);
  }

  /** Whether asking `peer`, which now seems to have `free` addresses there, makes sense. */
  isWorthAsking(peer: PeerName, range: AddressRange, free: number, nowMs: number): boolean {
    const denial = this.#denials.get(keyOf(peer, range));
    return denial === undefined || free > denial.free || nowMs >= denial.untilMs;
  }

  /** Takes all answers that have not come for lost. */
  forgetOutstanding(): void {
    this.#asked.clear();
    this.#askedSize = 0;
  }
}

function keyOf(peer: PeerName, range: AddressRange): string {
  return `${peer} ${formatRange(range)}`;
}
