import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { SelectorIndex } from "../../lib/policy/compiler/selector-index.ts";
import { labelsOf, namespaceOf } from "../../lib/policy/labels.ts";
import type { Labels, Requirement, Selector } from "../../lib/policy/objects.ts";
import { selectorKey, selects } from "../../lib/policy/selector.ts";
import { has } from "./objects.ts";

const labels: fc.Arbitrary<Labels> = fc
  .dictionary(fc.constantFrom("a", "b", "a=b"), fc.constantFrom("x", "y", "b=x"))
  .map(labelsOf);

const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: fc.constantFrom("a", "b", "a=b"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.array(fc.constantFrom("x", "y", "z", "b=x"), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    key: fc.constantFrom("a", "b"),
    operator: fc.constantFrom("Exists", "DoesNotExist"),
  }),
);

const selector: fc.Arbitrary<Selector> = fc.array(requirement, { maxLength: 3 });

describe("a selector", () => {
  test("selects by all of its requirements, also where a label is missing", () => {
    const web = labelsOf({ app: "web", tier: "" });
    const missing = (operator: "NotIn" | "In"): Selector => [
      { key: "zone", operator, values: ["1"] },
    ];
    expect(selects([], web)).toBe(true);
    expect(selects(has("app", "db", "web"), web)).toBe(true);
    expect(selects([...has("app", "web"), ...has("tier", "x")], web)).toBe(false);
    expect(selects(missing("NotIn"), web)).toBe(true);
    expect(selects(missing("In"), web)).toBe(false);
    expect(selects([{ key: "tier", operator: "Exists" }], web)).toBe(true);
    expect(selects([{ key: "zone", operator: "DoesNotExist" }], web)).toBe(true);
  });

  test("has the key of one that says the same in another order, and of no other", () => {
    const ordered = [...has("a", "x", "y"), ...has("b", "z")];
    expect(selectorKey(ordered)).toBe(selectorKey([...has("b", "z"), ...has("a", "y", "x", "x")]));
    expect(selectorKey(has("a", "x,y"))).not.toBe(selectorKey(has("a", "x", "y")));
    expect(selectorKey(has("a", 'x","y'))).not.toBe(selectorKey(has("a", "x", "y")));
    fc.assert(
      fc.property(selector, selector, labels, (one, other, of) => {
        if (selectorKey(one) === selectorKey(other)) {
          expect(selects(one, of)).toBe(selects(other, of));
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe("an index of selectors", () => {
  test("finds exactly those that select, each once, and none that was taken out", () => {
    fc.assert(
      fc.property(fc.array(selector, { maxLength: 8 }), labels, fc.nat(), (all, of, gone) => {
        const index = new SelectorIndex<number>();
        for (const [at, each] of all.entries()) index.add(each, at);
        const removed = gone % Math.max(1, all.length);
        if (all.length > 0) index.remove(all[removed]!, removed);
        const wanted = all.flatMap((each, at) => (at !== removed && selects(each, of) ? [at] : []));
        expect(index.matching(of).sort((a, b) => a - b)).toEqual(wanted);
        for (const [at, each] of all.entries()) index.remove(each, at);
        expect(index.isEmpty).toBe(true);
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });
});

test("a namespace has the label with its name, whatever it says itself", () => {
  const { labels: of } = namespaceOf("shop", { team: "a", "kubernetes.io/metadata.name": "x" });
  expect(Object.fromEntries(of)).toEqual({ team: "a", "kubernetes.io/metadata.name": "shop" });
  expect([labelsOf(undefined).size, labelsOf(null).size]).toEqual([0, 0]);
});
