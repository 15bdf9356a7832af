import {
  argumentPlaceholder,
  type CommandSpec,
  type FlagSpec,
  flagPlaceholder,
} from "./command-spec.ts";
import { groupTitles, sharedEnvironment, shownCommands } from "./command-table.ts";
import { definitions, wrap } from "./text-layout.ts";

/** The text of `weave help` and `weave <command> --help`. */

/** `weave attach [<addr>...] <container> [options]` */
export function usageLine(command: CommandSpec): string {
  return [
    `weave ${command.name}`,
    ...command.arguments.map(argumentPlaceholder),
    ...(shownFlags(command).length > 0 ? ["[options]"] : []),
  ].join(" ");
}

export function shownFlags(command: CommandSpec): readonly FlagSpec[] {
  return command.flags.filter(
    ({ refusal, isElsewhere }) => refusal === undefined && isElsewhere !== true,
  );
}

/** Flags under their headings, in the order of the table. */
export function flagGroups(command: CommandSpec): Map<string, FlagSpec[]> {
  const groups = new Map<string, FlagSpec[]>();
  for (const flag of shownFlags(command)) {
    const title = flag.group ?? "Options";
    groups.set(title, [...(groups.get(title) ?? []), flag]);
  }
  return groups;
}

/** Summary, default, variable and repetition of a flag in one sentence. */
export function flagText(flag: FlagSpec): string {
  const facts = [
    flag.repeatable === true ? "may be repeated" : undefined,
    flag.value?.choices === undefined ? undefined : `one of ${flag.value.choices.join(", ")}`,
    flag.default === undefined ? undefined : `default: ${flag.default}`,
    flag.environment === undefined ? undefined : `or ${flag.environment}`,
  ].filter((fact) => fact !== undefined);
  return facts.length === 0 ? flag.summary : `${flag.summary} (${facts.join("; ")})`;
}

export function overview(): string {
  const lines = [
    "Usage: weave <command> [<argument>...] [options]",
    "",
    ...wrap("weave gives containers on many hosts one network."),
  ];
  for (const [group, title] of groupTitles) {
    const rows = shownCommands
      .filter((command) => command.group === group)
      .map((command): [string, string] => [command.name, command.summary]);
    lines.push("", `${title}:`, ...definitions(rows));
  }
  lines.push(
    "",
    "Environment:",
    ...definitions(sharedEnvironment.map(({ name, summary }) => [name, summary])),
    "",
    "'weave <command> --help' explains a command; 'weave demo' shows the whole thing.",
    "",
  );
  return lines.join("\n");
}

export function commandHelp(command: CommandSpec): string {
  const lines = [`Usage: ${usageLine(command)}`, ""];
  for (const paragraph of command.description) lines.push(...wrap(paragraph), "");
  if (command.arguments.length > 0) {
    const rows = command.arguments.map((argument): [string, string] => [
      argumentPlaceholder(argument),
      argument.summary,
    ]);
    lines.push("Arguments:", ...definitions(rows), "");
  }
  for (const [title, flags] of flagGroups(command)) {
    const rows = flags.map((flag): [string, string] => [flagPlaceholder(flag), flagText(flag)]);
    lines.push(`${title}:`, ...definitions(rows), "");
  }
  if (command.examples.length > 0) {
    lines.push("Examples:");
    for (const { line, explains } of command.examples) {
      lines.push(`  ${line}`, ...wrap(explains, 6));
    }
    lines.push("");
  }
  const codes = exitCodes(command).map(({ code, when }): [string, string] => [String(code), when]);
  lines.push("Exit codes:", ...definitions(codes), "");
  return lines.join("\n");
}

/** With those that every command has, ascending. */
export function exitCodes(command: CommandSpec): Array<{ code: number; when: string }> {
  const own = command.exitCodes ?? [];
  const usage = command.usageExitCode ?? 1;
  const general = [
    { code: 0, when: "success" },
    ...(own.some(({ code }) => code === usage)
      ? []
      : [{ code: usage, when: "the command line is wrong, or something failed" }]),
  ];
  return [...general, ...own].sort((a, b) => a.code - b.code);
}
