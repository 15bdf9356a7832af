import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { flap, Triangle } from "./link-flaps.ts";

const seconds = 5;
const flapsMaxMs = 180_000;
/** A broadcast that went round would have been flooded hundreds of thousands of times. */
const floodsPerBroadcastMax = 3;
const otherFloodsMax = 1000;

describe("three hosts", () => {
  let triangle: Triangle;
  beforeAll(async () => {
    triangle = await Triangle.up("wfe");
  }, flapsMaxMs);
  afterAll(() => triangle?.[Symbol.asyncDispose]());

  for (const [what, breaks] of [
    ["of whose links one carries nothing, another every second,", false],
    ["of whose connections one breaks, another every second,", true],
  ] as const) {
    test(
      `${what} keep their streams, and nothing goes round`,
      async () => {
        const { said, heard, heardAgain, flooded } = await flap(triangle, {
          seconds,
          seed: 1,
          breaks,
        });
        expect(heard).toBeGreaterThan(said / 2);
        expect(flooded).toBeLessThan(floodsPerBroadcastMax * said + otherFloodsMax);
        // Hosts hear of a new topology one after the other.
        if (!breaks) expect(heardAgain).toBe(0);
      },
      flapsMaxMs,
    );
  }
});
