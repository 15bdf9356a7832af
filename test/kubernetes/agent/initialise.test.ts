import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModules, openKernelSettings } from "../../../lib/kubernetes/agent/initialise.ts";

describe("what prepares a node", () => {
  test("leaves settings of the kernel alone where the host's are not mounted", () => {
    const hostRoot = mkdtempSync(join(tmpdir(), "weave-host-"));
    openKernelSettings({ hostRoot });
    openKernelSettings({ hostRoot: join(hostRoot, "none") });
    expect(existsSync("/proc/sys/net")).toBe(true);
    rmSync(hostRoot, { recursive: true });
  });

  test("says what the container lacks when it may not mount them", () => {
    const hostRoot = mkdtempSync(join(tmpdir(), "weave-host-"));
    mkdirSync(join(hostRoot, "proc/sys"), { recursive: true });
    const program = `
      import { openKernelSettings } from "${join(import.meta.dir, "../../../lib/kubernetes/agent/initialise.ts")}";
      try { openKernelSettings({ hostRoot: "${hostRoot}" }); } catch (error) { console.log(error.code, error.remedy); }`;
    const without = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
    const { stdout } = Bun.spawnSync([...without, process.execPath, "-e", program]);
    expect(stdout.toString()).toStartWith("K8S_POD give the container the capability SYS_ADMIN");
    rmSync(hostRoot, { recursive: true });
  });

  test("loads no modules where no policies are enforced", () => {
    expect(loadModules({ policy: false })).toEqual([]);
  });
});
