import { describe, expect, test } from "bun:test";
import { emptyBytes } from "../../lib/base/bytes.ts";
import { ip, otherName, TableBench } from "./names.ts";

/** How a table that hears the digest of `from` answers it. */
function asks(from: TableBench, to: TableBench): boolean {
  const digest = from.table.comparison.digest();
  if (digest === undefined) throw new Error("nothing to compare");
  const inquiry = to.table.comparison.inquire(otherName, digest);
  if (inquiry !== undefined) expect(inquiry).toEqual(emptyBytes);
  return inquiry !== undefined;
}

/** Two tables, the second of which heard all that the first has. */
function twins(): [TableBench, TableBench] {
  const first = new TableBench();
  const second = new TableBench(undefined, [], { self: otherName });
  first.table.add("one.weave.local", "c1", ip("10.32.0.1"));
  first.table.add("two.weave.local", "c2", ip("10.32.0.2"));
  tell(first, second);
  return [first, second];
}

function tell(from: TableBench, to: TableBench): void {
  for (const payload of from.table.comparison.answer()?.encode() ?? []) {
    to.table.onGossip(otherName, payload);
  }
}

describe("peers with the same names", () => {
  test("need not tell each other", () => {
    const [first, second] = twins();
    expect(asks(first, second)).toBe(false);
    expect(asks(second, first)).toBe(false);
  });

  test("need not have the same tombstones", () => {
    const [first, second] = twins();
    first.table.add("brief.weave.local", "c3", ip("10.32.0.3"));
    first.table.remove({ name: "brief.weave.local" });
    expect(asks(first, second)).toBe(false);
  });
});

describe("a peer", () => {
  test("that lacks a name asks, and knows it then", () => {
    const [first, second] = twins();
    first.table.add("three.weave.local", "c3", ip("10.32.0.3"));
    expect(asks(first, second)).toBe(true);
    tell(first, second);
    expect(asks(first, second)).toBe(false);
  });

  test("that has not heard of a removal asks", () => {
    const [first, second] = twins();
    first.table.remove({ name: "one.weave.local" });
    expect(asks(first, second)).toBe(true);
    tell(first, second);
    expect(asks(first, second)).toBe(false);
    expect(second.table.addressesOf("one.weave.local.")).toEqual([]);
  });

  test("without names says nothing, and asks whoever has some", () => {
    const [first] = twins();
    const empty = new TableBench(undefined, [], { self: otherName });
    expect(empty.table.comparison.digest()).toBeUndefined();
    expect(empty.table.comparison.answer()).toBeUndefined();
    expect(asks(first, empty)).toBe(true);
  });

  test("asks when a name moved to another container", () => {
    const [first, second] = twins();
    first.table.remove({ name: "two.weave.local" });
    first.table.add("two.weave.local", "c9", ip("10.32.0.2"));
    expect(asks(first, second)).toBe(true);
  });
});
