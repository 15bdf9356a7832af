import type { Ipv4 } from "../base/ip.ts";
import type { AddressRange } from "./range.ts";

/**
 * A set of addresses as a binary trie over their bits.
 *
 *                    0.0.0.0/0
 *                   ╱         ╲           a branch splits its block in two halves;
 *            0.0.0.0/1       128.0.0.0/1  a block that is wholly in or out of the set is a leaf
 *             ╱     ╲             │
 *           …        …           out
 *
 * Sets are values: a change returns a new set that shares all but the at most 32 branches on the
 * way to the change. Every operation on one address or range costs at most that, however many
 * addresses there are, and two sets are combined in the time that their differences take. Equal
 * sets have equal tries, since two equal leaves are always joined.
 */
export class AddressSet {
  static readonly empty = new AddressSet(0);

  readonly #root: Node;

  private constructor(root: Node) {
    this.#root = root;
  }

  static of(ranges: Iterable<AddressRange>): AddressSet {
    let root: Node = 0;
    for (const range of ranges) root = paint(root, 0, space, range, 1);
    return new AddressSet(root);
  }

  /** Number of addresses. */
  get size(): number {
    return count(this.#root, space);
  }

  has(address: Ipv4): boolean {
    return this.countIn({ start: address, end: address + 1 }) === 1;
  }

  with(range: AddressRange): AddressSet {
    return this.#from(paint(this.#root, 0, space, range, 1));
  }

  without(range: AddressRange): AddressSet {
    return this.#from(paint(this.#root, 0, space, range, 0));
  }

  union(other: AddressSet): AddressSet {
    return this.#from(combine(this.#root, other.#root, space, union));
  }

  intersection(other: AddressSet): AddressSet {
    return this.#from(combine(this.#root, other.#root, space, intersection));
  }

  difference(other: AddressSet): AddressSet {
    return this.#from(combine(this.#root, other.#root, space, difference));
  }

  equals(other: AddressSet): boolean {
    return equal(this.#root, other.#root);
  }

  /** Number of addresses of the set inside `range`. */
  countIn(range: AddressRange): number {
    return countIn(this.#root, 0, space, range);
  }

  /** The lowest address of the set inside `range` that is not in `except`. */
  firstIn(range: AddressRange, except: AddressSet = AddressSet.empty): Ipv4 | undefined {
    return firstIn(this.#root, except.#root, 0, space, range);
  }

  /** The longest stretches of the set, ascending, clipped to `range` when one is given. */
  ranges(range: AddressRange = { start: 0, end: space }): AddressRange[] {
    const found: { start: number; end: number }[] = [];
    collect(this.#root, 0, space, range, found);
    return found;
  }

  #from(root: Node): AddressSet {
    return root === this.#root ? this : new AddressSet(root);
  }
}

/** Addresses of IPv4. */
const space = 2 ** 32;

/** A block: wholly outside the set, wholly inside, or mixed. */
type Node = 0 | 1 | Branch;

class Branch {
  readonly low: Node;
  readonly high: Node;
  /** Addresses in the set. */
  readonly count: number;

  constructor(low: Node, high: Node, count: number) {
    this.low = low;
    this.high = high;
    this.count = count;
  }
}

const low = (node: Node): Node => (typeof node === "number" ? node : node.low);
const high = (node: Node): Node => (typeof node === "number" ? node : node.high);

function count(node: Node, size: number): number {
  return typeof node === "number" ? node * size : node.count;
}

/** Whether `range` has nothing in common with a block; an empty range never has. */
function isApart(range: AddressRange, start: number, size: number): boolean {
  return range.end <= range.start || range.end <= start || range.start >= start + size;
}

/** The block of two halves of `half` addresses each; `like` itself when it has these halves. */
function join(lower: Node, upper: Node, half: number, like: Node): Node {
  if (typeof lower === "number" && lower === upper) return lower;
  if (typeof like !== "number" && like.low === lower && like.high === upper) return like;
  return new Branch(lower, upper, count(lower, half) + count(upper, half));
}

function paint(node: Node, start: number, size: number, range: AddressRange, value: 0 | 1): Node {
  if (node === value || isApart(range, start, size)) return node;
  if (range.start <= start && range.end >= start + size) return value;
  const half = size / 2;
  const lower = paint(low(node), start, half, range, value);
  const upper = paint(high(node), start + half, half, range, value);
  return join(lower, upper, half, node);
}

/** Settles a pair of blocks of which at least one is a leaf, or says that it must look inside. */
type Rule = (a: Node, b: Node) => Node | undefined;

const union: Rule = (a, b) => (a === 1 || b === 1 ? 1 : a === 0 ? b : b === 0 ? a : undefined);
const intersection: Rule = (a, b) =>
  a === 0 || b === 0 ? 0 : a === 1 ? b : b === 1 ? a : undefined;
const difference: Rule = (a, b) => (a === 0 || b === 1 ? 0 : b === 0 ? a : undefined);

function combine(a: Node, b: Node, size: number, rule: Rule): Node {
  const settled = rule(a, b);
  if (settled !== undefined) return settled;
  const half = size / 2;
  const lower = combine(low(a), low(b), half, rule);
  const upper = combine(high(a), high(b), half, rule);
  return join(lower, upper, half, a);
}

function equal(a: Node, b: Node): boolean {
  if (a === b) return true;
  if (typeof a === "number" || typeof b === "number" || a.count !== b.count) return false;
  return equal(a.low, b.low) && equal(a.high, b.high);
}

function countIn(node: Node, start: number, size: number, range: AddressRange): number {
  if (node === 0 || isApart(range, start, size)) return 0;
  if (range.start <= start && range.end >= start + size) return count(node, size);
  const half = size / 2;
  return countIn(low(node), start, half, range) + countIn(high(node), start + half, half, range);
}

function firstIn(
  node: Node,
  except: Node,
  start: number,
  size: number,
  range: AddressRange,
): Ipv4 | undefined {
  if (node === 0 || except === 1) return undefined;
  if (isApart(range, start, size)) return undefined;
  if (node === 1 && except === 0) return Math.max(start, range.start);
  const half = size / 2;
  return (
    firstIn(low(node), low(except), start, half, range) ??
    firstIn(high(node), high(except), start + half, half, range)
  );
}

function collect(
  node: Node,
  start: number,
  size: number,
  range: AddressRange,
  found: { start: number; end: number }[],
): void {
  if (node === 0 || isApart(range, start, size)) return;
  if (node === 1) {
    const from = Math.max(start, range.start);
    const to = Math.min(start + size, range.end);
    const last = found.at(-1);
    if (last?.end === from) last.end = to;
    else found.push({ start: from, end: to });
    return;
  }
  const half = size / 2;
  collect(node.low, start, half, range, found);
  collect(node.high, start + half, half, range, found);
}
