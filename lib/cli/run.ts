import { errorText, WeaveError } from "../base/errors.ts";
import type { AnsweredCommand } from "./command-spec.ts";
import { findAnswered, findCommand, shownCommands } from "./command-table.ts";
import { commandHandler } from "./commands/handlers.ts";
import type { Output, Surroundings } from "./context.ts";
import { exitCodeOf } from "./exit-code.ts";
import { commandHelp, overview } from "./help.ts";
import { parseWords } from "./parse.ts";
import { suggest } from "./suggest.ts";

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
  if (command === undefined) return answerUnknown(name, stderr);
  try {
    const parsed = parseWords(command, rest, surroundings.environment);
    if (parsed.help) {
      stdout.write(commandHelp(command));
      return 0;
    }
    for (const note of parsed.notes) stderr.write(`note: ${note}\n`);
    if (command.needsRoot === true && !surroundings.isRoot) throw needsRoot(command.name);
    const handler = await commandHandler(command.name);
    return await handler({ ...surroundings, command, ...parsed });
  } catch (error) {
    explain(error, stderr);
    return exitCodeOf(error, command);
  }
}

function needsRoot(name: string): WeaveError {
  return new WeaveError("NOT_ROOT", `'weave ${name}' must be run as 'root'`, {
    remedy: `run 'sudo weave ${name}'`,
  });
}

function explain(error: unknown, stderr: Output): void {
  const text = errorText(error);
  stderr.write(`${error instanceof WeaveError ? text : `unexpected failure: ${text}`}\n`);
  if (error instanceof WeaveError && error.remedy !== undefined) {
    stderr.write(`${error.remedy}\n`);
  }
}

function answerUnknown(name: string, stderr: Output): number {
  const answered = findAnswered(name);
  if (answered !== undefined) {
    stderr.write(`${answerLine(name, answered.status)}\n${answered.answer}\n`);
    return 1;
  }
  const near = suggest(
    name,
    shownCommands.map((command) => command.name),
  );
  stderr.write(`Unknown weave command '${name}'\n`);
  if (name.startsWith("-"))
    stderr.write(`Options come after the command: weave <command> ${name}\n`);
  if (near !== undefined) stderr.write(`Did you mean 'weave ${near}'?\n`);
  stderr.write("See 'weave help'.\n");
  return 1;
}

function answerLine(name: string, status: AnsweredCommand["status"]): string {
  switch (status) {
    case "removed":
      return `The 'weave ${name}' command has been removed as of Weave Net version 2.0`;
    case "absent":
      return `The 'weave ${name}' command is not part of this version`;
    case "never":
      return `There is no 'weave ${name}' command`;
  }
}
