import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { cutText, fromUtf8 } from "../../lib/base/bytes.ts";

test("a text that is cut does not keep what was cut off", () => {
  const long = new Uint8Array(4 << 20).fill(0x61);
  const kept: string[] = [];
  Bun.gc(true);
  const before = heapStats().extraMemorySize;
  for (let count = 0; count < 16; count++) kept.push(cutText(fromUtf8(long), 100));
  Bun.gc(true);
  expect(heapStats().extraMemorySize - before).toBeLessThan(16 << 20);
  expect(new Set(kept)).toEqual(new Set(["a".repeat(100)]));
});

test("a text is cut to whole characters", () => {
  expect(cutText("grün", 4)).toBe("grün");
  expect(cutText("grüner", 4)).toBe("grün");
  expect(cutText("a😀", 2).isWellFormed()).toBe(true);
});
