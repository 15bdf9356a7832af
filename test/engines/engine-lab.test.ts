import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { must } from "../hosts/shell.ts";
import { EngineLab } from "./engine-lab.ts";

describe("a lab with two engines", () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = await EngineLab.start("elab", { engine: ["20.10", "28"] });
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("has the releases that it was asked for, each with its own containers and images", async () => {
    for (const host of lab.hosts) {
      const format = ["--format", "{{.Server.Version}}"];
      expect(await host.mustDocker(["version", ...format])).toStartWith(host.engine);
      expect(await host.mustDocker(["run", "--rm", "bb", "echo", "hello"])).toBe("hello");
      expect(await host.mustDocker(["run", "--rm", "bb-entry"])).toBe("entry of words");
      expect(await host.mustDocker(["ps", "-aq"])).toBe("");
    }
  });

  test("has a network between its hosts", async () => {
    const [one, other] = lab.hosts;
    const ping = ["ping", "-c", "1", "-W", "2", other!.ip];
    expect((await one!.exec(ping)).code).toBe(0);
  });
});

test("a lab leaves nothing behind, whatever was started in it", async () => {
  const lab = await EngineLab.start("eleave", { engine: ["20.10", "28"] });
  const folders = lab.hosts.map(({ folder }) => folder);
  for (const host of lab.hosts) {
    await host.launch();
    await host.mustDocker(["run", "-d", "--restart", "always", "bb", "sleep", "600"]);
    await host.mustExec([
      "setsid",
      "--fork",
      "sh",
      "-c",
      "exec >/dev/null 2>&1; while :; do sleep 1; done",
      host.folder,
    ]);
  }
  await lab[Symbol.asyncDispose]();
  const ours = (text: string) => folders.some((folder) => text.includes(folder));
  expect(ours(readFileSync("/proc/mounts", "utf8"))).toBe(false);
  expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  expect(await must(["ip", "netns", "list"])).not.toContain("eleave-");
  expect(await must(["find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "*eleave*"])).toBe("");
  expect(readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && ours(commandOf(pid)))).toEqual(
    [],
  );
});

/** Empty for one that has ended. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
