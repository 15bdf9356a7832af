import { expect, test } from "bun:test";
import { TokenBucket } from "../../lib/overlay/token-bucket.ts";

test("a burst passes, then a trickle, and rest fills up to the burst again", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 10 });
  const passed = (nowMs: number): number =>
    Array.from({ length: 10 }, () => bucket.take(nowMs)).filter(Boolean).length;
  expect(passed(5_000)).toBe(3);
  expect(passed(5_050)).toBe(0);
  expect(passed(5_200)).toBe(2);
  expect(passed(60_000)).toBe(3);
});
