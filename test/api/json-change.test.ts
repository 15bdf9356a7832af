import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { changeBetween, withChange } from "../../lib/api/json-change.ts";

describe("what has changed between two objects", () => {
  test("names no more than that", () => {
    const before = { a: 1, b: { c: 2, d: [3], e: null }, f: "x", g: {} };
    const after = { a: 1, b: { c: 2, d: [3, 4], e: null }, g: { h: null } };
    const change = changeBetween(before, after)!;
    expect(change).toEqual({ b: { d: [[3, 4]] }, f: [], g: { h: [null] } });
    expect(withChange<object>(before, change)).toEqual(after);
  });

  test("is nothing between two that are alike", () => {
    const one = { a: [{ b: [1, null] }], c: { d: "e" } };
    expect(changeBetween(one, one)).toBeUndefined();
    expect(changeBetween(one, structuredClone(one))).toBeUndefined();
  });

  test("leaves what it does not name as it was", () => {
    const before = { a: { b: 1 }, c: { d: 2 } };
    const after = withChange(before, changeBetween(before, { a: { b: 1 }, c: { d: 3 } })!);
    expect(after.a).toBe(before.a);
    expect(before.c.d).toBe(2);
  });

  test("leads from any object to any other, also by way of JSON", () => {
    // Names that objects have by themselves are names like any other.
    const name = fc.oneof(fc.constantFrom("a", "b", "__proto__", "constructor"), fc.string());
    const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
      leaf: fc.oneof(fc.constant(null), fc.boolean(), fc.nat(3), fc.string()),
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        tie("leaf"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(name, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    const object = fc.dictionary(name, tree, { maxKeys: 4 }).map(asRead);
    fc.assert(
      fc.property(object, object, (before, after) => {
        const change = changeBetween(before, after);
        const result = change === undefined ? before : withChange(before, asRead(change));
        expect(sorted(result)).toEqual(sorted(after));
      }),
      { numRuns: 1000 },
    );
  });
});

/** As a page gets it. */
function asRead<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Lists of names and values, which no name is special in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { members: members.map(([name, each]) => [name, sorted(each)]) };
}
