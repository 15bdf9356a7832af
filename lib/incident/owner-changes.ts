import type { Ipv4 } from "../base/ip.ts";

/** Addresses of one owner, from `first` on. A ring is a list of them, ascending, without overlaps. */
export interface OwnedRange<Owner> {
  readonly first: Ipv4;
  readonly size: number;
  readonly owner: Owner;
}

/** These addresses were one's and are another's; `undefined` for nobody. */
export interface OwnerChange<Owner> {
  readonly first: Ipv4;
  readonly size: number;
  readonly from: Owner | undefined;
  readonly to: Owner | undefined;
}

/** What has another owner in `after` than in `before`, ascending and joined where it can be. */
export function changedOwners<Owner>(
  before: readonly OwnedRange<Owner>[],
  after: readonly OwnedRange<Owner>[],
): OwnerChange<Owner>[] {
  const changes: OwnerChange<Owner>[] = [];
  const [was, is] = [new OwnerWalk(before), new OwnerWalk(after)];
  // Not before the first of either; `until` is where either of them may have another owner.
  let first = Math.min(was.start, is.start);
  while (first < Number.POSITIVE_INFINITY) {
    const [from, to] = [was.ownerAt(first), is.ownerAt(first)];
    const until = Math.min(was.until, is.until);
    if (from !== to) add(changes, { first, size: until - first, from, to });
    first = until;
  }
  return changes;
}

function add<Owner>(changes: OwnerChange<Owner>[], change: OwnerChange<Owner>): void {
  const last = changes.at(-1);
  const follows = last !== undefined && last.first + last.size === change.first;
  if (follows && last.from === change.from && last.to === change.to) {
    changes[changes.length - 1] = { ...last, size: last.size + change.size };
  } else {
    changes.push(change);
  }
}

/** The ring once `change` is undone: its addresses are those of whom they were. */
export function withoutChange<Owner>(
  ring: readonly OwnedRange<Owner>[],
  { first, size, from }: OwnerChange<Owner>,
): OwnedRange<Owner>[] {
  const end = first + size;
  const rest = ring.flatMap((range) => {
    const rangeEnd = range.first + range.size;
    if (rangeEnd <= first || range.first >= end) return [range];
    return [
      { ...range, size: Math.max(0, first - range.first) },
      { ...range, first: end, size: Math.max(0, rangeEnd - end) },
    ].filter((part) => part.size > 0);
  });
  const given = from === undefined ? [] : [{ first, size, owner: from }];
  return [...rest, ...given].sort((a, b) => a.first - b.first);
}

/** Goes along a ring once, for addresses that are asked for in ascending order. */
class OwnerWalk<Owner> {
  readonly #ring: readonly OwnedRange<Owner>[];
  #at = 0;
  /** Up to where the last answer holds; infinite when nothing follows. */
  until: number;

  constructor(ring: readonly OwnedRange<Owner>[]) {
    this.#ring = ring;
    this.until = this.start;
  }

  get start(): number {
    return this.#ring[0]?.first ?? Number.POSITIVE_INFINITY;
  }

  ownerAt(address: Ipv4): Owner | undefined {
    const ring = this.#ring;
    while (this.#at < ring.length && endOf(ring[this.#at]!) <= address) this.#at++;
    const range = ring[this.#at];
    const isInside = range !== undefined && range.first <= address;
    this.until = isInside ? endOf(range) : (range?.first ?? Number.POSITIVE_INFINITY);
    return isInside ? range.owner : undefined;
  }
}

function endOf({ first, size }: OwnedRange<unknown>): number {
  return first + size;
}
