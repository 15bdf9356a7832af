import { describe, expect, test } from "bun:test";
import { ownCaller } from "../../lib/cli/own-caller.ts";
import { must } from "../hosts/shell.ts";

describe("who runs a command", () => {
  test("is the user of the process, whatever the environment says or does not", async () => {
    const user = (await must(["id", "-un"])).trim();
    for (const environment of [{}, { USER: "somebody" }]) {
      expect(ownCaller("cli", environment)).toEqual({ kind: "cli", user, pid: process.pid });
    }
  });

  test("is behind sudo whoever called it", () => {
    expect(ownCaller("cni", { SUDO_USER: "alice", USER: "root" }).user).toBe("alice");
  });
});
