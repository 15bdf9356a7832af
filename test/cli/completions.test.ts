import { beforeAll, describe, expect, test } from "bun:test";
import { shownCommands } from "../../lib/cli/command-table.ts";
import { completionScript } from "../../lib/cli/completions/scripts.ts";
import { weave } from "./command-line.ts";

/** Stands for the program: lists values as a router would. */
const program = `weave() { case $2 in container) printf '%s\\n' netns:c1 netns:c2 ;; peer) echo host1:6783 ;; esac; }`;

async function output(command: string[], stdin = ""): Promise<string> {
  const child = Bun.spawn(command, { stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(stderr).toBe("");
  expect(await child.exited).toBe(0);
  return stdout;
}

beforeAll(() => {
  for (const shell of ["bash", "zsh", "fish"]) {
    if (Bun.which(shell) === null) {
      throw new Error(`these tests need ${shell}: './install.sh --dev' installs it`);
    }
  }
});

test("weave completion prints the script of each shell", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    expect((await weave(["completion", shell])).stdout).toBe(completionScript(shell));
  }
  expect((await weave(["completion", "tcsh"])).code).toBe(1);
});

describe("bash", () => {
  const script = completionScript("bash");
  async function offers(line: string): Promise<string[]> {
    const text = await output(
      ["bash", "--norc"],
      `${program}\n${script}\nCOMP_LINE='${line}' COMP_POINT=${line.length}\n_weave\nprintf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    return text.split("\n").filter((word) => word !== "");
  }

  test("offers commands, flags, words of a list and values", async () => {
    expect(await offers("weave ")).toEqual([
      ...shownCommands.map((c) => c.name),
      "--help",
      "--version",
    ]);
    expect(await offers("weave la")).toEqual(["launch"]);
    expect(await offers("weave status c")).toEqual(["connections"]);
    expect(await offers("weave launch --dns-t")).toEqual(["--dns-ttl"]);
    expect(await offers("weave launch --log-level ")).toEqual([
      "debug",
      "info",
      "warning",
      "error",
    ]);
    expect(await offers("weave launch --log-level=w")).toEqual(["warning"]);
    expect(await offers("weave help dns-a")).toEqual(["dns-add", "dns-args"]);
    expect(await offers("weave stop ")).toEqual([]);
  });

  test("offers containers, whose names have colons at which readline breaks words", async () => {
    expect(await offers("weave attach n")).toEqual(["net:default", "netns:c1", "netns:c2"]);
    expect(await offers("weave attach netns:c")).toEqual(["c1", "c2"]);
    expect(await offers("weave forget ")).toEqual(["host1:6783"]);
  });

  test("keeps flags that need no value from swallowing the next word", async () => {
    expect(await offers("weave attach --without-dns netns:c1 --no-m")).toEqual([
      "--no-multicast-route",
    ]);
  });
});

describe("zsh", () => {
  test("loads the script and offers commands and flags", async () => {
    // compadd and _arguments are what a completion calls in the end: record instead of showing.
    const text = await output(
      ["zsh", "-f"],
      `${program}
autoload -Uz compinit && compinit -D -u
eval "$(cat <<'SCRIPT'
${completionScript("zsh")}
SCRIPT
)"
_describe() { print -l -- \${(P)2} }
_arguments() { print -l -- "$@" }
words=(weave "") CURRENT=2; _weave
print +++
words=(weave launch "") CURRENT=3; _weave`,
    );
    const [commands = "", launch = ""] = text.split("+++\n");
    expect(commands.trim().split("\n")).toEqual(
      shownCommands.map((command) => `${command.name}:${command.summary}`),
    );
    expect(launch).toContain("*--log-level=[how much to log]");
    expect(launch).toContain("compadd debug info warning error");
    expect(launch).toContain("_weave_router peer");
  });
});

describe("fish", () => {
  const script = completionScript("fish");
  async function offers(line: string): Promise<string[]> {
    const text = await output(
      ["fish", "--no-config"],
      `function weave; switch $argv[2]; case container; echo netns:c1; end; end\n${script}\ncomplete -C '${line}'\n`,
    );
    return text
      .split("\n")
      .filter((word) => word !== "")
      .map((word) => word.split("\t")[0]!);
  }

  test("offers commands, flags, words of a list and containers", async () => {
    expect((await offers("weave ")).sort()).toEqual(shownCommands.map((c) => c.name).sort());
    expect(await offers("weave status co")).toEqual(["connections"]);
    expect(await offers("weave launch --log-level ")).toContain("warning");
    expect(await offers("weave launch --dns-t")).toEqual(["--dns-ttl"]);
    expect(await offers("weave attach netns:")).toContain("netns:c1");
    expect(await offers("weave stop ")).toEqual([]);
  });
});
