import { findCommand } from "../command-table.ts";
import type { CommandHandler } from "../context.ts";
import { exitCode } from "../exit-code.ts";
import { commandHelp, overview } from "../help.ts";
import { unknownCommand } from "../unknown-command.ts";

export const help: CommandHandler = async ({ arguments: words, stdout, stderr }) => {
  const name = words[0];
  if (name === undefined) {
    stdout.write(overview());
    return exitCode.success;
  }
  const command = findCommand(name);
  if (command === undefined) {
    stderr.write(`${unknownCommand(name).join("\n")}\n`);
    return exitCode.failure;
  }
  stdout.write(commandHelp(command));
  return exitCode.success;
};
