import { describe, expect, test } from "bun:test";
import { commandTable, findAnswered, shownCommands } from "../../lib/cli/command-table.ts";
import { handledCommands } from "../../lib/cli/commands/handlers.ts";
import { parseWords } from "../../lib/cli/parse.ts";
import { answeredCommands } from "../../lib/cli/table/answered-commands.ts";
import { weave } from "./command-line.ts";

describe("the command table", () => {
  test("has a handler for every command and a command for every handler", () => {
    expect([...handledCommands].sort()).toEqual(commandTable.map((c) => c.name).sort());
  });

  test("names each flag once per command, old names and letters included", () => {
    for (const command of commandTable) {
      const names = command.flags.flatMap((flag) => [
        flag.name,
        ...(flag.short === undefined ? [] : [flag.short]),
        ...(flag.formerly ?? []).map((former) => former.name),
      ]);
      expect(new Set(names).size, command.name).toBe(names.length);
    }
  });

  test("answers no name that is a command", () => {
    for (const command of commandTable) expect(findAnswered(command.name)).toBeUndefined();
  });

  test("gives examples that parse", () => {
    for (const command of shownCommands) {
      for (const { line } of command.examples) {
        const [name, ...words] = /weave ([^)]*)/.exec(line)![1]!.match(/'[^']*'|\S+/g)!;
        expect(name, line).toBe(command.name);
        expect(() => parseWords(command, words, {}), line).not.toThrow();
      }
    }
  });
});

describe("every command", () => {
  for (const command of commandTable) {
    test(`weave ${command.name} --help explains it on stdout, exits 0 and does nothing`, async () => {
      const outcome = await weave([command.name, "--help"]);
      expect(outcome.code).toBe(0);
      expect(outcome.stderr).toBe("");
      expect(outcome.stdout).toStartWith(`Usage: weave ${command.name}`);
      expect(outcome.stdout).toContain("Exit codes:");
      expect(outcome.requests).toEqual([]);
      expect(outcome.launched).toEqual([]);
      expect(outcome.router).toEqual([]);
      const shown = await weave(["help", command.name]);
      expect(shown).toEqual(outcome);
    });
  }

  test("stays within 80 columns of help, long option names excepted", async () => {
    for (const command of shownCommands) {
      const { stdout } = await weave([command.name, "--help"]);
      for (const line of stdout.split("\n")) {
        if (!line.startsWith("  weave ") && !line.startsWith("Usage:")) {
          expect(line.length, line).toBeLessThanOrEqual(80);
        }
      }
    }
  });
});

describe("weave alone", () => {
  test("prints the overview on stderr and fails", async () => {
    const { code, stdout, stderr } = await weave([]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    for (const command of shownCommands) expect(stderr).toContain(`  ${command.name} `);
  });

  test("with --help, or as weave help, prints it on stdout and succeeds", async () => {
    const outcome = await weave(["--help"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toContain("weave <command> --help");
    expect(await weave(["help"])).toEqual(outcome);
  });
});

describe("a wrong command line", () => {
  const lines = [
    "attach",
    "attach a b",
    "attach 10.2.1.1 c",
    "expose c1",
    "dns-add",
    "dns-add 1.2.3.4",
  ]
    .concat(["connect", "forget", "status foo", "status a b", "launch --port x", "launch --port"])
    .concat(["launch --mtu big", "launch --nonsense", "logs --tail x", "simulate --peers 1", "why"])
    .concat([
      "report -f",
      "completion tcsh",
      "stop now",
      "setup-systemd --mtu big",
      "--json status",
    ]);

  for (const line of lines) {
    test(`weave ${line} is answered with what is wrong, and then what to do`, async () => {
      const { code, stdout, stderr, requests, launched, router } = await weave(line.split(" "));
      expect({ stdout, requests, launched, router }).toEqual({
        ...{ stdout: "", requests: [], launched: [], router: [] },
      });
      expect(code).toBe(line.startsWith("launch") ? 125 : 1);
      expect(stderr.trimEnd().split("\n").length).toBeGreaterThan(1);
    });
  }
});

describe("a command that is none", () => {
  test("is answered with the nearest one", async () => {
    const { code, stderr } = await weave(["atach", "c"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "Unknown weave command 'atach'\nDid you mean 'weave attach'?\nSee 'weave help'.\n",
    );
    expect((await weave(["--json", "status"])).stderr).toContain(
      "Options come after the command: weave <command> --json",
    );
    expect((await weave(["help", "stats"])).stderr).toContain("Did you mean 'weave status'?");
    expect((await weave(["help", "run"])).stderr).toBe((await weave(["run"])).stderr);
  });

  for (const { names, status, answer } of answeredCommands) {
    for (const name of names) {
      test(`weave ${name} says what to do instead and fails`, async () => {
        const { code, stdout, stderr } = await weave([name, "--whatever", "x"]);
        expect(code).toBe(1);
        expect(stdout).toBe("");
        expect(stderr).toContain(answer);
        if (status === "removed") {
          expect(stderr).toStartWith(
            `The 'weave ${name}' command has been removed as of Weave Net version 2.0\n`,
          );
        }
      });
    }
  }
});
