import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { errorStatus } from "../../lib/api/error-status.ts";
import { WeaveError } from "../../lib/base/errors.ts";

const table = "lib/api/error-status.ts";

test("every code that has a status of its own is thrown somewhere", () => {
  const codes = readFileSync(table, "utf8").match(/"[A-Z][A-Z_]+"/g) ?? [];
  const sources = [...new Glob("lib/**/*.ts").scanSync()]
    .filter((path) => path !== table)
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !sources.includes(code))).toEqual([]);
});

test("what is no fault of the request is ours", () => {
  expect(errorStatus(new WeaveError("STORE_WRITE", "disk full"))).toBe(500);
  expect(errorStatus(new TypeError("oops"))).toBe(500);
  expect(errorStatus("text")).toBe(500);
  expect(errorStatus(new WeaveError("IPAM_BUSY", "too many requests wait"))).toBe(503);
});
