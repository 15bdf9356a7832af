import type { CommandSpec, FlagSpec, ValueSpec } from "../command-spec.ts";
import { shownCommands } from "../command-table.ts";
import { shownFlags } from "../help.ts";

/** What a shell may offer, the same for all shells. */

export type ValueSource =
  /** These words. */
  | { readonly from: "words"; readonly words: readonly string[] }
  /** Lines printed by `weave complete-values <kind>`. */
  | { readonly from: "router"; readonly kind: string }
  /** Names of files. */
  | { readonly from: "files" }
  /** The user knows best. */
  | { readonly from: "nothing" };

export interface FlagModel {
  readonly names: readonly string[];
  readonly summary: string;
  /** Absent for a switch. */
  readonly value: ValueSource | undefined;
}

export interface CommandModel {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly FlagModel[];
  readonly arguments: readonly ValueSource[];
}

/** What stands in place of a command. */
export const firstFlags: readonly FlagModel[] = [
  { names: ["--help"], summary: "list all commands", value: undefined },
  { names: ["--version"], summary: "print the version", value: undefined },
];

export function completionModel(): CommandModel[] {
  return shownCommands.map((command) => ({
    name: command.name,
    summary: command.summary,
    flags: [...shownFlags(command).map(flagModel), helpFlag],
    arguments: argumentSources(command),
  }));
}

const helpFlag: FlagModel = {
  names: ["--help"],
  summary: "explain this command",
  value: undefined,
};

function flagModel(flag: FlagSpec): FlagModel {
  return {
    names: [`--${flag.name}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])],
    summary: flag.summary,
    value: flag.value && valueSource(flag.value),
  };
}

/** Arguments of several kinds may mix, so that a shell offers all of them at every place. */
function argumentSources(command: CommandSpec): ValueSource[] {
  return command.arguments.map(valueSource).filter((source) => source.from !== "nothing");
}

function valueSource(value: ValueSpec): ValueSource {
  switch (value.kind) {
    case "choice":
      return { from: "words", words: value.choices ?? [] };
    case "command":
      return { from: "words", words: shownCommands.map((command) => command.name) };
    case "address":
      return { from: "words", words: value.placeholder === "addr" ? ["net:default"] : [] };
    case "container":
    case "peer":
    case "peer-id":
    case "place":
    case "policy":
    case "fqdn":
      return { from: "router", kind: value.kind };
    case "file":
      return { from: "files" };
    case "cidr":
    case "duration":
    case "integer":
    case "text":
      return { from: "nothing" };
  }
}
