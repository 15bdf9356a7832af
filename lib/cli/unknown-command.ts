import type { AnsweredCommand } from "./command-spec.ts";
import { findAnswered, shownCommands } from "./command-table.ts";
import { suggest } from "./suggest.ts";

/** What to say to somebody who typed a command that there is not, a line each. */
export function unknownCommand(name: string): string[] {
  const answered = findAnswered(name);
  if (answered !== undefined) return [answerLine(name, answered.status), answered.answer];
  const near = suggest(
    name,
    shownCommands.map((command) => command.name),
  );
  return [
    `Unknown weave command '${name}'`,
    ...(name.startsWith("-") ? [`Options come after the command: weave <command> ${name}`] : []),
    ...(near === undefined ? [] : [`Did you mean 'weave ${near}'?`]),
    "See 'weave help'.",
  ];
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
