import { findCommand, shownCommands } from "../command-table.ts";
import type { CommandHandler } from "../context.ts";
import { commandHelp, overview } from "../help.ts";
import { suggest } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";

export const help: CommandHandler = async ({ arguments: words, stdout }) => {
  const name = words[0];
  if (name === undefined) {
    stdout.write(overview());
    return 0;
  }
  const command = findCommand(name);
  if (command === undefined) {
    const near = suggest(
      name,
      shownCommands.map((candidate) => candidate.name),
    );
    throw new UsageError(`Unknown weave command '${name}'`, {
      remedy: near === undefined ? "see 'weave help'" : `did you mean 'weave help ${near}'?`,
    });
  }
  stdout.write(commandHelp(command));
  return 0;
};
