import { expect, test } from "bun:test";
import fc from "fast-check";
import { shrink } from "../../lib/simulator/shrink.ts";

test("what remains of a failing list fails, in order, and nothing in it can be left out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      async (items, count) => {
        const needed = items.slice(0, count);
        const fails = async (part: readonly number[]) =>
          needed.every((item) => part.includes(item));
        expect(await shrink(items, fails, 10_000)).toEqual(needed);
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

test("shrinking ends when its attempts are used up", async () => {
  let attempts = 0;
  const items = Array.from({ length: 100 }, (_, index) => index);
  const result = await shrink(
    items,
    async (part) => {
      attempts++;
      return part.includes(0) && part.includes(99);
    },
    5,
  );
  expect(attempts).toBe(5);
  expect(result).toContain(99);
});
