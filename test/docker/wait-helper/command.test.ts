import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitHelper } from "../../../lib/docker/wait-helper/program.ts";

const machine = process.arch === "arm64" ? "arm64" : "x86-64";
const folder = mkdtempSync(join(tmpdir(), "weave-helper-"));
const helper = join(folder, "w");

beforeAll(() => {
  writeFileSync(helper, waitHelper(machine, "nothing"), { mode: 0o555 });
  for (const name of ["first", "second", "private"]) {
    mkdirSync(join(folder, name));
    script(join(name, "tool"), `#!/bin/sh\necho "${name}: $0 $*"\n`);
  }
  chmodSync(join(folder, "private", "tool"), 0o644);
  script("plain", "echo not reached\n");
});

afterAll(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string): void {
  writeFileSync(join(folder, name), text, { mode: 0o755 });
}

/** What the helper, or what it became, says and how it ends. */
function run(words: readonly string[], env: Record<string, string> = {}) {
  const { stdout, stderr, exitCode } = Bun.spawnSync([helper, ...words], { cwd: folder, env });
  return { out: stdout.toString(), error: stderr.toString(), exitCode };
}

const path = (...names: string[]) => ({
  PATH: names.map((name) => (name === "" ? "" : join(folder, name))).join(":"),
});
const said = (error: string) => ({ out: "", error, exitCode: 1 });

describe("the wait helper becomes the command", () => {
  test("with its words, its environment and its process id", () => {
    const script = "echo $PPID; echo $0,$1,$2; /usr/bin/env";
    const { out } = run(["/bin/sh", "-c", script, "zero", "one two", ""], { A: "b", C: "d e" });
    const lines = out.split("\n");
    expect(lines[0]).toBe(String(process.pid));
    expect(lines[1]).toBe("zero,one two,");
    expect(lines).toContain("A=b");
    expect(lines).toContain("C=d e");
  });

  test("with its exit code", () => {
    expect(run(["/bin/sh", "-c", "exit 7"]).exitCode).toBe(7);
  });

  test("of the first folder of PATH that has one", () => {
    expect(run(["tool", "a"], path("none", "first", "second")).out).toBe(
      `first: ${folder}/first/tool a\n`,
    );
    expect(run(["tool"], path("second", "first")).out).toContain("second:");
  });

  test("of a later folder, when the first may not be executed or is no folder", () => {
    expect(run(["tool"], path("private", "second")).out).toContain("second:");
    expect(run(["tool"], path("plain", "second")).out).toContain("second:");
  });

  test("of a later folder, when another one's name is too long for a path", () => {
    expect(run(["tool"], path("x".repeat(5000), "second")).out).toContain("second:");
  });

  test("of the working directory, where PATH has a folder without name", () => {
    for (const names of [[""], ["none", ""], ["", "none"], ["none", "", "none"]]) {
      const PATH = names.length === 1 ? ":" : path(...names).PATH;
      expect(run(["second"], { PATH }).error).toBe('exec: "second": permission denied\n');
    }
  });

  test("that it names with a slash, whatever PATH says", () => {
    expect(run(["./first/tool", "x"], path("second")).out).toBe("first: ./first/tool x\n");
  });

  test("by the first PATH of the environment, and no variable that only begins like it", () => {
    const { PATH } = path("first");
    expect(run(["tool"], { PAT: "x", PATHS: folder, XPATH: folder, PATH }).out).toContain("first:");
  });
});

describe("the wait helper says", () => {
  test("that there is no command", () => {
    expect(run([])).toEqual(said("No command specified\n"));
  });

  test("that a command is in no folder of PATH, and when there is no PATH", () => {
    const sentence = said('exec: "foo": executable file not found in $PATH\n');
    expect(run(["foo"], path("first", "second"))).toEqual(sentence);
    expect(run(["foo"], { PATH: "" })).toEqual(sentence);
    expect(run(["foo"])).toEqual(sentence);
  });

  test("that a file is not there", () => {
    expect(run(["./foo"])).toEqual(said('exec: "./foo": no such file or directory\n'));
    expect(run(["plain/foo"])).toEqual(said('exec: "plain/foo": no such file or directory\n'));
  });

  test("that it may not be executed", () => {
    const sentence = said('exec: "tool": permission denied\n');
    expect(run(["tool"], path("private"))).toEqual(sentence);
    expect(run(["tool"], path("private", "none"))).toEqual(sentence);
    expect(run(["./private/tool"]).error).toBe('exec: "./private/tool": permission denied\n');
  });

  test("that it is in no format that the kernel knows", () => {
    expect(run(["./plain"])).toEqual(said('exec: "./plain": exec format error\n'));
  });

  test("that the kernel takes it for too much", () => {
    const name = `./${"x".repeat(300)}`;
    expect(run([name])).toEqual(said(`exec: "${name}": it cannot be executed\n`));
  });
});

test("the wait helper is a few kilobytes, the same every time, for both processors", () => {
  for (const machine of ["x86-64", "arm64"] as const) {
    for (const waitsFor of ["route", "interface", "nothing"] as const) {
      const octets = waitHelper(machine, waitsFor);
      expect(octets.length).toBeLessThan(4096);
      expect(waitHelper(machine, waitsFor)).toEqual(octets);
    }
  }
  expect(readFileSync(helper)).toEqual(Buffer.from(waitHelper(machine, "nothing")));
});
