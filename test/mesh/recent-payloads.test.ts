import { describe, expect, test } from "bun:test";
import { utf8 } from "../../lib/base/bytes.ts";
import { RecentPayloads } from "../../lib/mesh/recent-payloads.ts";
import { loneWorld } from "../sim/world.ts";

function recent(options: { lifetimeMs: number; entriesMax: number }) {
  const { world, clock } = loneWorld();
  return { payloads: new RecentPayloads<string>(world, options), clock };
}

describe("payloads seen lately", () => {
  test("are known by key and content with what was noted first", () => {
    const { payloads } = recent({ lifetimeMs: 1000, entriesMax: 10 });
    expect(payloads.sight("a", utf8("x"), "first")).toBeUndefined();
    expect(payloads.sight("a", utf8("x"), "second")).toBe("first");
    expect(payloads.sight("b", utf8("x"), "third")).toBeUndefined();
    expect(payloads.sight("a", utf8("y"), "fourth")).toBeUndefined();
  });

  test("are forgotten after their time, counted from the first sight", () => {
    const { payloads, clock } = recent({ lifetimeMs: 1000, entriesMax: 10 });
    payloads.sight("", utf8("x"), "first");
    clock.run(999);
    expect(payloads.sight("", utf8("x"), "second")).toBe("first");
    clock.run(1);
    expect(payloads.sight("", utf8("x"), "third")).toBeUndefined();
    expect(payloads.size).toBe(1);
  });

  test("are never more than allowed", () => {
    const { payloads } = recent({ lifetimeMs: 1000, entriesMax: 10 });
    for (let number = 0; number < 1000; number++) payloads.sight("", utf8(`${number}`), "");
    expect(payloads.size).toBe(10);
    expect(payloads.sight("", utf8("999"), "")).toBe("");
    expect(payloads.sight("", utf8("0"), "")).toBeUndefined();
  });
});
