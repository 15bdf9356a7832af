import { expect, test } from "bun:test";
import { release } from "node:os";
import { setSlice, sliceNs } from "../../ffi/scheduling.ts";

const [major = 0, minor = 0] = release().split(".").map(Number);
const knowsSlices = major > 6 || (major === 6 && minor >= 12);

test("a thread computes for as long as it asked for before others do, where the kernel knows that", () => {
  const before = sliceNs();
  setSlice(300_000);
  try {
    expect(sliceNs()).toBe(knowsSlices ? 300_000 : before);
  } finally {
    setSlice(before);
  }
  expect(sliceNs()).toBe(before);
});

test("a thread that does not exist has no slice", () => {
  expect(() => sliceNs(2 ** 30)).toThrow("sched_getattr");
});
