import { pathsFrom } from "../daemon/paths.ts";
import { argumentPlaceholder, type CommandSpec, flagPlaceholder } from "./command-spec.ts";
import { groupTitles, sharedEnvironment, shownCommands } from "./command-table.ts";
import { exitCodes, flagGroups, flagText, usageLine } from "./help.ts";

/** `docs/man/weave.1`, in the man macros of roff. */
export function manPage(): string {
  const lines = [
    '.TH WEAVE 1 "" "weave" "User Commands"',
    ".SH NAME",
    "weave \\- one network for containers on many hosts",
    ".SH SYNOPSIS",
    ".B weave",
    roff("<command> [<argument>...] [options]"),
    ".SH DESCRIPTION",
    roff(
      "weave joins hosts into a cluster and gives containers on all of them one network, with addresses and names. Each host runs a router, started by weave launch.",
    ),
  ];
  for (const [group, title] of groupTitles) {
    lines.push(`.SH ${title.toUpperCase()}`);
    for (const command of shownCommands) {
      if (command.group === group) lines.push(...commandSection(command));
    }
  }
  lines.push(".SH ENVIRONMENT");
  for (const { name, summary } of sharedEnvironment) lines.push(...item(name, summary));
  lines.push(".SH FILES");
  for (const [path, text] of files) lines.push(...item(path, text));
  return `${lines.join("\n")}\n`;
}

const { socket, logFile, database } = pathsFrom({});
const files: ReadonlyArray<readonly [path: string, text: string]> = [
  [socket, "the router's control API, for root alone"],
  [logFile, "its log"],
  [database, "what it remembers: its name, addresses, peers and names"],
];

function commandSection(command: CommandSpec): string[] {
  const lines = [`.SS ${roff(usageLine(command))}`];
  lines.push(
    ...command.description.flatMap((text, at) => [...(at > 0 ? [".PP"] : []), roff(text)]),
  );
  for (const argument of command.arguments) {
    lines.push(...item(argumentPlaceholder(argument), argument.summary));
  }
  for (const flags of flagGroups(command).values()) {
    for (const flag of flags) lines.push(...item(flagPlaceholder(flag), flagText(flag)));
  }
  for (const { line, explains } of command.examples) {
    lines.push(...item(line, `Example: ${explains}.`));
  }
  const codes = exitCodes(command).map(({ code, when }) => `${code} ${when}`);
  lines.push(".PP", roff(`Exit codes: ${codes.join("; ")}.`));
  return lines;
}

function item(term: string, text: string): string[] {
  return [".TP", `.B ${roff(term)}`, roff(text)];
}

/**
 * Escapes what roff would take as its own: backslashes, minus signs, a dot or quote in front. What is
 * to be typed stands out.
 */
function roff(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/`([^`]+)`/g, "\\fB$1\\fR");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
