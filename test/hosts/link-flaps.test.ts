import { expect, test } from "bun:test";
import { flap } from "./link-flaps.ts";

const seconds = 8;
const flapsMaxMs = 180_000;
/** A broadcast that went round would have been flooded hundreds of thousands of times. */
const floodsPerBroadcastMax = 3;
const otherFloodsMax = 1000;

for (const [what, breaks] of [
  ["of whose links one carries nothing, another every second,", false],
  ["of whose connections one breaks, another every second,", true],
] as const) {
  test(
    `three hosts ${what} keep their streams, and nothing goes round`,
    async () => {
      const outcome = await flap("wfe", { seconds, seed: 1, breaks });
      const { said, heard, heardAgain, flooded } = outcome;
      expect(heard).toBeGreaterThan(said / 2);
      expect(flooded).toBeLessThan(floodsPerBroadcastMax * said + otherFloodsMax);
      // Hosts hear of a new topology one after the other.
      if (!breaks) expect(heardAgain).toBe(0);
    },
    flapsMaxMs,
  );
}
