import { expect, test } from "bun:test";
import fc from "fast-check";
import { AddressSet } from "../../lib/ipam/address-set.ts";
import type { AddressRange } from "../../lib/ipam/range.ts";
import { addressesOf } from "./vectors.ts";

const space = 256;
const range: fc.Arbitrary<AddressRange> = fc
  .tuple(fc.nat(space), fc.nat(space))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const step = fc.record({ range, add: fc.boolean() });
const runs = { seed: 1, numRuns: 300 };

function build(steps: { range: AddressRange; add: boolean }[]): {
  set: AddressSet;
  model: Set<number>;
} {
  let set = AddressSet.empty;
  const model = new Set<number>();
  for (const { range, add } of steps) {
    set = add ? set.with(range) : set.without(range);
    for (const address of addressesOf([range])) add ? model.add(address) : model.delete(address);
  }
  return { set, model };
}

function membersOf(set: AddressSet): number[] {
  return addressesOf(set.ranges());
}

function ascending(model: Iterable<number>): number[] {
  return [...model].sort((a, b) => a - b);
}

test("ranges added and removed in any order leave the members of a plain set", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), range, (steps, window) => {
      const { set, model } = build(steps);
      const inside = ascending(model).filter((a) => a >= window.start && a < window.end);
      expect(membersOf(set)).toEqual(ascending(model));
      expect(set.size).toBe(model.size);
      expect(set.countIn(window)).toBe(inside.length);
      expect(set.firstIn(window)).toBe(inside[0]);
      expect(addressesOf(set.ranges(window))).toEqual(inside);
    }),
    runs,
  );
});

test("stretches are as long as can be", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ranges = build(steps).set.ranges();
      for (const [index, { start, end }] of ranges.entries()) {
        expect(end).toBeGreaterThan(start);
        if (index > 0) expect(start).toBeGreaterThan(ranges[index - 1]!.end);
      }
    }),
    runs,
  );
});

test("union, intersection and difference are those of plain sets", () => {
  fc.assert(
    fc.property(fc.array(step), fc.array(step), range, (first, second, window) => {
      const a = build(first);
      const b = build(second);
      expect(membersOf(a.set.union(b.set))).toEqual(ascending(a.model.union(b.model)));
      expect(membersOf(a.set.intersection(b.set))).toEqual(
        ascending(a.model.intersection(b.model)),
      );
      const difference = a.set.difference(b.set);
      expect(membersOf(difference)).toEqual(ascending(a.model.difference(b.model)));
      expect(a.set.firstIn(window, b.set)).toBe(difference.firstIn(window));
    }),
    runs,
  );
});

test("sets with the same members are equal however they were made", () => {
  fc.assert(
    fc.property(fc.array(step), fc.array(step), (first, second) => {
      const a = build(first);
      const b = build(second);
      expect(AddressSet.of(a.set.ranges()).equals(a.set)).toBe(true);
      expect(a.set.equals(b.set)).toBe(a.model.symmetricDifference(b.model).size === 0);
    }),
    runs,
  );
});

test("a change leaves the set it was made from alone", () => {
  const before = AddressSet.of([{ start: 10, end: 20 }]);
  const after = before.without({ start: 12, end: 14 });
  expect(before.size).toBe(10);
  expect(after.ranges()).toEqual([
    { start: 10, end: 12 },
    { start: 14, end: 20 },
  ]);
});

test("the whole of IPv4 is a set like any other", () => {
  const all = AddressSet.of([{ start: 0, end: 2 ** 32 }]);
  expect(all.size).toBe(2 ** 32);
  expect(all.without({ start: 2 ** 31, end: 2 ** 31 + 1 }).size).toBe(2 ** 32 - 1);
  expect(all.has(0xffffffff)).toBe(true);
});
