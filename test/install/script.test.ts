import { expect, test } from "bun:test";
import { join } from "node:path";
import { filesUnder, root, textOf } from "../house/source-files.ts";

const scripts = filesUnder(".").filter(
  (path) => /\.(sh|bash)$/.test(path) || /^#!\/(usr\/)?bin\/(env )?(ba)?sh\b/.test(firstLine(path)),
);

function firstLine(path: string): string {
  return /\.(db|png|gz)$/.test(path) ? "" : textOf(path).slice(0, 64).split("\n")[0]!;
}

test("shell scripts are clean to shellcheck", () => {
  expect(scripts).toContain("install.sh");
  expect(scripts).toContain("completions/weave.bash");
  if (Bun.which("shellcheck") === null) {
    throw new Error("this test needs shellcheck: './install.sh --dev' installs it");
  }
  const check = Bun.spawnSync(["shellcheck", ...scripts], { cwd: root });
  expect(check.stdout.toString()).toBe("");
  expect(check.exitCode).toBe(0);
});

test("install.sh asks nothing of a shell beyond POSIX", () => {
  expect(textOf("install.sh")).toStartWith("#!/bin/sh\n");
  const parse = Bun.spawnSync(["/bin/sh", "-n", join(root, "install.sh")]);
  expect(parse.stderr.toString()).toBe("");
});

test("install.sh takes the root of a system for a prefix, not the folder in which it is called", () => {
  const script = join(root, "install.sh");
  const asked = Bun.spawnSync(["/bin/sh", script, "--uninstall", "--prefix", "/"], { cwd: root });
  expect(asked.exitCode).toBe(1);
  expect(asked.stderr.toString()).toContain("nothing of this installer is under /\n");
});
