import { expect, test } from "bun:test";
import { weaveCommand } from "../hosts/lab.ts";

/** What the program prints on a terminal of its own. */
async function onTerminal(words: string[], env: Record<string, string>): Promise<string> {
  const decoder = new TextDecoder();
  const ended = Promise.withResolvers<void>();
  let seen = "";
  const child = Bun.spawn([...weaveCommand(), ...words], {
    env: { PATH: process.env.PATH, WEAVE_RUN_DIR: "/nonexistent", TERM: "xterm", ...env },
    terminal: {
      cols: 120,
      rows: 40,
      data: (_terminal, bytes) => {
        seen += decoder.decode(bytes, { stream: true });
      },
      // After the last of what was printed, which the end of the process may precede.
      exit: () => ended.resolve(),
    },
  });
  await Promise.all([child.exited, ended.promise]);
  child.terminal?.close();
  return seen;
}

const colour = "\u001b[";

test("colours are for terminals that show them and people who want them", async () => {
  expect(await onTerminal(["doctor"], {})).toContain(colour);
  expect(await onTerminal(["doctor"], { NO_COLOR: "1" })).not.toContain(colour);
  expect(await onTerminal(["doctor"], { TERM: "dumb" })).not.toContain(colour);
  expect(await onTerminal(["doctor", "--json"], {})).toStartWith('{"schema":"weave/doctor/1"');
  const piped = Bun.spawnSync([...weaveCommand(), "doctor"], {
    env: { ...process.env, WEAVE_RUN_DIR: "/nonexistent" },
  });
  expect(piped.stdout.toString()).not.toContain(colour);
});
