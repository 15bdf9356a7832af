import { describe, expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { runCampaign } from "./campaign.ts";
import regressions from "./regressions.json";
import { targets } from "./targets.ts";

/** A short campaign for each target; `bun run fuzz` is the long one. */
const usualCount = 5000;
/** Where each input costs an agreement on a key. */
const costlyCount = 1000;

describe("damaged octets are accepted or refused for a stated reason, and leave no harm", () => {
  for (const target of targets) {
    const count = target.name === "handshake-sealed" ? costlyCount : usualCount;
    test(target.name, async () => {
      const result = await runCampaign(target, { seed: 7, count });
      expect(result.inputs).toBe(count);
      // Damage that nothing survives, or that everything survives, would test nothing.
      expect(result.accepted).toBeGreaterThan(0);
      expect(result.accepted).toBeLessThan(count);
    }, 60_000);
  }
});

describe("what once did harm does none any more", () => {
  for (const { target: name, life, was, hex } of regressions) {
    test(`${name}: ${was}`, async () => {
      const target = targets.find((each) => each.name === name)!;
      const alive = target.begin(life);
      await alive.consume(fromHex(hex));
      await alive.end?.();
    });
  }
});
