import { describe, expect, test } from "bun:test";
import { callerHeader, formatCaller, parseCaller } from "../../lib/api/caller-header.ts";
import { callerOf } from "../../lib/daemon/events/asked-by.ts";

describe("who sends a request", () => {
  test("is said in a header of its own", () => {
    const alice = { kind: "cli", pid: 4711, user: "alice" } as const;
    expect(formatCaller(alice)).toBe("cli; pid=4711; user=alice");
    for (const caller of [alice, { kind: "cni" }, { kind: "cli", user: "Jörg; pid=1" }] as const) {
      expect(parseCaller(formatCaller(caller))).toEqual(caller);
    }
  });

  test.each([
    "",
    "kube",
    "root",
    "cli; user=a b",
    "cli; pid=-1",
    "cli; pid=12345678901",
    `cli; user=${"x".repeat(200)}`,
  ])("is nobody in particular who says %p", (text) => {
    expect(parseCaller(text)).toBeUndefined();
  });

  test("is believed on the unix socket alone", () => {
    const headers = new Headers({ [callerHeader]: "cli; user=%" });
    expect(callerOf(headers, "unix")).toEqual({ kind: "cli", user: "%" });
    expect(callerOf(headers, "tcp")).toEqual({ kind: "tcp" });
    expect(callerOf(new Headers(), "unix")).toEqual({ kind: "api" });
  });
});
