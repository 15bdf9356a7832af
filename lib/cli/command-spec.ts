/**
 * What a command is, as data. Parsing, help, completions, the manual page and `docs/cli.md` are all
 * functions of these records (see `command-table.ts`); only `commands/` knows what a command does.
 */

/** What a value means: decides its check, its placeholder and what a shell offers to complete. */
export type ValueKind =
  | "address"
  | "cidr"
  | "choice"
  | "command"
  | "container"
  | "duration"
  | "file"
  | "fqdn"
  | "integer"
  | "peer"
  | "peer-id"
  | "place"
  | "policy"
  | "text";

export interface ValueSpec {
  readonly kind: ValueKind;
  /** Shown between angle brackets in usage lines. */
  readonly placeholder: string;
  /** For kind `choice`: the words that are taken. */
  readonly choices?: readonly string[];
}

export interface ArgumentSpec extends ValueSpec {
  readonly summary: string;
  readonly minimum: 0 | 1;
  readonly maximum: 1 | "many";
}

/** An older spelling: still taken, with a note on stderr. */
export interface FormerName {
  readonly name: string;
  /** Put before the value, where the old flag said less: `--init-peer-count 3` → `consensus=3`. */
  readonly valuePrefix?: string;
}

export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without dash. */
  readonly short?: string;
  /** Absent for a switch. */
  readonly value?: ValueSpec;
  readonly repeatable?: boolean;
  /** As the help shows it. Handlers and validation own the real default. */
  readonly default?: string;
  /** Read when the flag is absent or empty. For a switch any non-empty value turns it on. */
  readonly environment?: string;
  readonly summary: string;
  /** Heading in the help; flags without one stand under "Options". */
  readonly group?: string;
  readonly formerly?: readonly FormerName[];
  /**
   * The original has this flag and this version does not do what it asks for. The text says so and
   * what to do; a switch turned off (`--proxy=false`) is taken silently.
   */
  readonly refusal?: string;
  /** It is another command's, and explained there: taken, and not listed. */
  readonly isElsewhere?: boolean;
}

export interface Example {
  readonly line: string;
  readonly explains: string;
}

export interface ExitCodeSpec {
  readonly code: number;
  readonly when: string;
}

export type CommandGroup = "Router" | "Containers" | "Names" | "Peers" | "Look" | "More";

export interface CommandSpec {
  readonly name: string;
  readonly group: CommandGroup;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs of the long help. */
  readonly description: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  readonly examples: readonly Example[];
  /** Beyond 0 and the ones every command has. */
  readonly exitCodes?: readonly ExitCodeSpec[];
  /** Exit code of a wrong flag or argument; 1 when absent. */
  readonly usageExitCode?: number;
  /** Exit code when the router does not answer; 7 when absent. */
  readonly notRunningExitCode?: number;
  /** Exit code when the router runs without what this needs; 4 when absent. */
  readonly featureOffExitCode?: number;
  /** It works on files and processes that are root's alone. */
  readonly needsRoot?: boolean;
  /** Not listed in help or completions: parts of other commands. */
  readonly hidden?: boolean;
}

/** A command that earlier releases had or that people try: answered, never run. */
export interface AnsweredCommand {
  readonly names: readonly string[];
  /** `removed` in an earlier release, `absent` from this one, or `never` there. */
  readonly status: "removed" | "absent" | "never";
  /** What to do instead: a sentence. */
  readonly answer: string;
}

/** Looks a flag up by its long name, an older name or its letter. */
export function findFlag(command: CommandSpec, name: string): FlagSpec | undefined {
  return command.flags.find(
    (flag) =>
      flag.name === name ||
      (name.length === 1 && flag.short === name) ||
      flag.formerly?.some((former) => former.name === name) === true,
  );
}

/** `<peer>...`, `[<addr>...]`, `<container>`. */
export function argumentPlaceholder(argument: ArgumentSpec): string {
  const word =
    argument.kind === "choice" && argument.choices !== undefined
      ? argument.choices.join("|")
      : `<${argument.placeholder}>`;
  const repeated = argument.maximum === "many" ? `${word}...` : word;
  return argument.minimum === 0 ? `[${repeated}]` : repeated;
}

/** `--port <n>`, `-h, --fqdn <name>`, `--resume`. */
export function flagPlaceholder(flag: FlagSpec): string {
  const names = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
  return flag.value === undefined ? names : `${names} <${flag.value.placeholder}>`;
}
