import { expect, test } from "bun:test";
import { editDistance, suggest } from "../../lib/cli/suggest.ts";

test("an edit is a letter more, less, other, or swapped with its neighbour", () => {
  expect(editDistance("launch", "launch")).toBe(0);
  expect(editDistance("lanch", "launch")).toBe(1);
  expect(editDistance("launcch", "launch")).toBe(1);
  expect(editDistance("lounch", "launch")).toBe(1);
  expect(editDistance("luanch", "launch")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
});

test("a word far from all others suggests nothing", () => {
  expect(suggest("kubernetes", ["launch", "stop"])).toBeUndefined();
  expect(suggest("x".repeat(10_000), ["launch"])).toBeUndefined();
  expect(suggest("a", [])).toBeUndefined();
});

test("dashes and capitals do not count", () => {
  expect(suggest("nofastdp", ["no-fastdp", "no-dns"])).toBe("no-fastdp");
  expect(suggest("DNSADD", ["dns-add", "dns-args"])).toBe("dns-add");
});
