import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { must, run } from "./shell.ts";

/** One host whose state lies on a disk of its own, which is small. */
describe("a host whose disk is full", () => {
  let lab: Lab;
  let host: Host;
  let folder: string;
  const fill = (): Promise<unknown> => run(["dd", "if=/dev/zero", `of=${file()}`, "bs=4k"]);
  const empty = (): void => rmSync(file());
  const file = (): string => join(folder, "filling");

  beforeAll(async () => {
    lab = await Lab.onSwitch("fd", 1);
    host = lab.hosts[0]!;
    folder = host.env.WEAVE_STATE_DIR!;
    mkdirSync(folder, { recursive: true });
    await must(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]);
  });
  afterAll(async () => {
    await host.weave(["stop"]);
    await run(["umount", "-l", folder]);
    await lab?.[Symbol.asyncDispose]();
  });

  test("keeps what it has, says what it cannot do, and stops in good order", async () => {
    await host.launch();
    const exposed = await host.mustWeave(["expose", "10.99.0.1/24"]);
    expect(exposed).toBe("10.99.0.1");
    await fill();
    for (const command of [
      ["hide", "10.99.0.1/24"],
      ["expose", "10.99.0.2/24"],
      ["dns-add", "10.99.0.9", "-h", "web.weave.local"],
      ["connect", "192.168.77.200"],
      ["forget", "192.168.77.201"],
    ]) {
      const { code, stderr } = await host.weave(command);
      expect([command[0], code, stderr]).toEqual([command[0], 1, expect.stringContaining("disk")]);
    }
    expect(await host.mustWeave(["dns-lookup", "web"])).toBe("");
    const addresses = await must(["ip", "-n", host.namespace, "-o", "address", "show", "weave"]);
    expect(addresses).toContain("10.99.0.1/24");
    expect(addresses).not.toContain("10.99.0.2/24");
    // Who is to be connected with now is, though not after the next start.
    expect(await host.mustWeave(["status", "connections"])).toContain("192.168.77.200:6783");

    await host.mustWeave(["stop"]);
    const log = await host.mustWeave(["logs"]);
    expect(log).toContain("could not end the mark of this run");
    expect(log).not.toContain("EBADF");
  });

  test("starts again all the same, or is told to make room, and is itself then", async () => {
    // What it had beside its database stays where it cannot be written into it, and is used again.
    await host.launch();
    empty();
    await host.mustWeave(["stop"]);
    await fill();
    const refused = await host.weave(["launch"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`its disk is full\nmake room on the disk of ${folder}`);
    empty();
    await host.launch();
    expect(await host.mustWeave(["ps", "weave:expose"])).toContain("10.99.0.1/24");
  });
});
