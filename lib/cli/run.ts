import { errorText, WeaveError } from "../base/errors.ts";
import type { CommandSpec } from "./command-spec.ts";
import { findCommand } from "./command-table.ts";
import { commandHandler } from "./commands/handlers.ts";
import type { Output, Surroundings } from "./context.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { commandHelp, overview } from "./help.ts";
import { parseWords } from "./parse.ts";
import { unknownCommand } from "./unknown-command.ts";
import { UsageError } from "./usage-error.ts";
import { waitingApi } from "./waiting-api.ts";

/**
 * One command line from words to exit code.
 *
 *   words ─▶ which command? ─▶ help? ─▶ parse ─▶ handler ─▶ exit code
 *              │ removed, unknown        │ usage error   │ WeaveError: text, remedy, its code
 */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr } = surroundings;
  // The original's script took `--local` to mean: here, not in a container. This is always here.
  const [name, ...rest] = words[0] === "--local" ? words.slice(1) : words;
  if (name === undefined) {
    stderr.write(overview());
    return 1;
  }
  if (name === "--help" || name === "-h") {
    stdout.write(overview());
    return 0;
  }
  const command = findCommand(name === "--version" ? "version" : name);
  if (command === undefined) {
    stderr.write(`${unknownCommand(name).join("\n")}\n`);
    return exitCode.failure;
  }
  try {
    const parsed = parseWords(command, rest, surroundings.environment);
    if (parsed.help) {
      stdout.write(commandHelp(command));
      return 0;
    }
    for (const note of parsed.notes) stderr.write(`note: ${note}\n`);
    if (command.needsRoot === true && !surroundings.isRoot) throw needsRoot(command.name);
    const handler = await commandHandler(command.name);
    const api = waitingApi(surroundings);
    return await handler({ ...surroundings, api, command, ...parsed });
  } catch (error) {
    explain(error, command, stderr);
    return exitCodeOf(error, command);
  }
}

function needsRoot(name: string): WeaveError {
  return new WeaveError("NOT_ROOT", `'weave ${name}' must be run as 'root'`, {
    remedy: `run 'sudo weave ${name}'`,
  });
}

/** What is wrong, and on a second line what to do about it. */
function explain(error: unknown, { name }: CommandSpec, stderr: Output): void {
  const text = errorText(error);
  stderr.write(`${error instanceof WeaveError ? text : `unexpected failure: ${text}`}\n`);
  const general = error instanceof UsageError ? `see 'weave ${name} --help'` : undefined;
  const remedy = (error instanceof WeaveError ? error.remedy : undefined) ?? general;
  if (remedy !== undefined) stderr.write(`${remedy}\n`);
}
