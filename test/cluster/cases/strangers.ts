import { expect, test } from "bun:test";
import type { ForeignFilters } from "../foreign-filters.ts";

/** What was done to others, after everything that changes packet filters. */
export function describeStrangers(filters: () => ForeignFilters): void {
  test("packet filters of others are as they were on every node", async () => {
    const { before, now } = await filters().now();
    expect(now).toEqual(before);
  });
}
