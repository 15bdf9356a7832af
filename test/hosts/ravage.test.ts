import { expect, test } from "bun:test";
import { ravageHosts } from "./ravage.ts";

const steps = 4;
const testMaxMs = 300_000;

for (const [how, fastdp] of [
  ["with a datapath", true],
  ["whose frames are captured", false],
] as const) {
  test(
    `hosts ${how} are whole again whatever somebody deletes`,
    async () => {
      const repairs = await ravageHosts("wrv", {
        ...{ hosts: 2, steps, seconds: testMaxMs / 1000, seed: 5, fastdp, repairMaxSeconds: 60 },
      });
      expect(repairs).toHaveLength(steps);
    },
    testMaxMs,
  );
}
