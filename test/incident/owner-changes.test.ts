import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { changedOwners, type OwnedRange, withoutChange } from "../../lib/incident/owner-changes.ts";

/** Rings over 64 addresses, with gaps. */
const rings = fc
  .array(fc.option(fc.constantFrom("a", "b", "c")), { minLength: 64, maxLength: 64 })
  .map((owners) =>
    owners.flatMap((owner, first): OwnedRange<string>[] =>
      owner === null ? [] : [{ first, size: 1, owner }],
    ),
  );

function joined(ring: readonly OwnedRange<string>[]): string {
  return Array.from({ length: 64 }, (_, address) => {
    const range = ring.find(({ first, size }) => address >= first && address < first + size);
    return range?.owner ?? "-";
  }).join("");
}

describe("changes of owners", () => {
  test("are joined, and name nobody as nobody", () => {
    const before = [
      { first: 0, size: 10, owner: "a" },
      { first: 10, size: 10, owner: "b" },
    ];
    const after = [
      { first: 0, size: 5, owner: "a" },
      { first: 5, size: 5, owner: "b" },
      { first: 10, size: 5, owner: "b" },
    ];
    expect(changedOwners(before, after)).toEqual([
      { first: 5, size: 5, from: "a", to: "b" },
      { first: 15, size: 5, from: "b", to: undefined },
    ]);
  });

  test("undone in any order give the ring as it was", () => {
    fc.assert(
      fc.property(rings, rings, (before, after) => {
        let ring: readonly OwnedRange<string>[] = after;
        for (const change of changedOwners(before, after)) ring = withoutChange(ring, change);
        expect(joined(ring)).toBe(joined(before));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
