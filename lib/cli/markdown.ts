import { markdownRow } from "../api/markdown-row.ts";
import { argumentPlaceholder, type CommandSpec, flagPlaceholder } from "./command-spec.ts";
import { groupTitles, sharedEnvironment, shownCommands } from "./command-table.ts";
import { exitCodes, flagGroups, flagText, usageLine } from "./help.ts";
import { answeredCommands } from "./table/answered-commands.ts";
import { formerCommands } from "./table/former-commands.ts";
import { formerVariables } from "./table/former-variables.ts";

/** `docs/cli.md`: the whole command line on one page. */
export function commandLineMarkdown(): string {
  const lines = [
    "# The `weave` command line",
    "",
    "This page is made from the program's own command table (`bun run generate`); `weave help` and",
    "`weave <command> --help` say the same.",
  ];
  for (const [group, title] of groupTitles) {
    lines.push("", `## ${title}`);
    for (const command of shownCommands) {
      if (command.group === group) lines.push("", ...commandSection(command));
    }
  }
  lines.push("", "## Environment", "", "| variable | meaning |", "| --- | --- |");
  for (const { name, summary } of sharedEnvironment)
    lines.push(markdownRow([`\`${name}\``, summary]));
  lines.push("", "## Commands of earlier releases", "", "| command | instead |", "| --- | --- |");
  for (const { names, answer } of answeredCommands) {
    lines.push(markdownRow([wordList(names), answer]));
  }
  for (const { name, summary } of formerCommands) {
    lines.push(markdownRow([wordList([name]), `Still there for scripts, to ${summary}.`]));
  }
  lines.push("", "## Variables of earlier releases", "", "| variable | instead |", "| --- | --- |");
  for (const { names, answer } of formerVariables) {
    lines.push(markdownRow([wordList(names), `${answer}.`]));
  }
  return `${lines.join("\n")}\n`;
}

function wordList(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(", ");
}

function commandSection(command: CommandSpec): string[] {
  const lines = [`### ${command.name}`, "", "```text", usageLine(command), "```"];
  for (const paragraph of command.description) lines.push("", paragraph);
  if (command.arguments.length > 0) {
    lines.push("", "| argument | meaning |", "| --- | --- |");
    for (const argument of command.arguments) {
      lines.push(markdownRow([`\`${argumentPlaceholder(argument)}\``, argument.summary]));
    }
  }
  for (const [title, flags] of flagGroups(command)) {
    lines.push("", `| ${title.toLowerCase()} | meaning |`, "| --- | --- |");
    for (const flag of flags)
      lines.push(markdownRow([`\`${flagPlaceholder(flag)}\``, flagText(flag)]));
  }
  for (const { line, explains } of command.examples) lines.push("", `\`${line}\`: ${explains}.`);
  const codes = exitCodes(command).map(({ code, when }) => `${code} ${when}`);
  lines.push("", `Exit codes: ${codes.join("; ")}.`);
  return lines;
}
