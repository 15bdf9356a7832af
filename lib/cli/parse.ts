import { parseArgs } from "node:util";
import { argumentPlaceholder, type CommandSpec, type FlagSpec, findFlag } from "./command-spec.ts";
import { FlagValues } from "./flag-values.ts";
import { suggest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Words after a command's name → flags and arguments. The only file that knows `parseArgs`.
 *
 *   words ─ modernise ─▶ words with today's spelling ─ parseArgs ─▶ tokens ─ check ─▶ ParsedWords
 */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ParsedWords {
  readonly arguments: readonly string[];
  readonly flags: FlagValues;
  /** `--help` was among the words: nothing else counts and nothing was checked. */
  readonly help: boolean;
  /** Old spellings that were understood: for stderr, one line each. */
  readonly notes: readonly string[];
}

const goTrue = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const goFalse = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** @throws UsageError */
export function parseWords(
  command: CommandSpec,
  words: readonly string[],
  environment: Environment,
): ParsedWords {
  const { words: modern, notes } = modernise(command, words);
  const { tokens } = parseArgs({
    args: modern,
    options: parserOptions(command),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  let help = false;
  const problems: UsageError[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = findFlag(command, token.name);
    if (flag === undefined && (token.name === "help" || token.rawName === "-h")) help = true;
    else if (flag === undefined) problems.push(unknownFlag(command, token.rawName));
    else {
      // Values were joined to their flags above: any other is a word that parseArgs took by mistake.
      const given = token.inlineValue === true ? token.value : undefined;
      const value = checkedValue(command, flag, given);
      if (value instanceof UsageError) problems.push(value);
      else values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
    }
  }
  if (!help) {
    if (problems[0] !== undefined) throw problems[0];
    checkArguments(command, positionals);
  }
  addEnvironment(command, values, environment);
  return { arguments: positionals, flags: new FlagValues(values), help, notes };
}

/** Rewrites old spellings and joins values to their flags, so that every flag is one word. */
function modernise(
  command: CommandSpec,
  words: readonly string[],
): { words: string[]; notes: string[] } {
  const modern: string[] = [];
  const notes: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      modern.push(...words.slice(at));
      break;
    }
    const match = /^(--?)([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(word);
    const [, dashes = "", name = "", inline] = match ?? [];
    const flag = match === null ? undefined : findFlag(command, name);
    if (flag === undefined) {
      modern.push(word);
      continue;
    }
    const former = flag.formerly?.find((candidate) => candidate.name === name);
    const long = dashes === "--" || name.length === 1;
    if (former !== undefined || !long) {
      notes.push(`${dashes}${name} is an old spelling; write --${flag.name}`);
    }
    let value = inline;
    if (value === undefined && flag.value !== undefined && isValue(words[at + 1])) {
      value = words[++at];
    }
    modern.push(
      value === undefined
        ? `--${flag.name}`
        : `--${flag.name}=${former?.valuePrefix ?? ""}${value}`,
    );
  }
  return { words: modern, notes };
}

/** A word that may follow a flag as its value; `--a --b` more often misses a value than means one. */
function isValue(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith("--");
}

function parserOptions(
  command: CommandSpec,
): Record<string, { type: "string" | "boolean"; short?: string; multiple: true }> {
  return Object.fromEntries(
    command.flags.map((flag) => [
      flag.name,
      {
        type: flag.value === undefined ? "boolean" : "string",
        ...(flag.short === undefined ? {} : { short: flag.short }),
        multiple: true,
      },
    ]),
  );
}

function usage(command: CommandSpec, message: string, remedy?: string): UsageError {
  return new UsageError(message, {
    ...(remedy !== undefined && { remedy }),
    exitCode: command.usageExitCode ?? 1,
  });
}

function unknownFlag(command: CommandSpec, rawName: string): UsageError {
  const names = command.flags.filter((flag) => flag.refusal === undefined).map((flag) => flag.name);
  const near = suggest(rawName.replace(/^-+/, ""), [...names, "help"]);
  return usage(
    command,
    `flag provided but not defined: ${rawName}`,
    near && `did you mean '--${near}'? See 'weave ${command.name} --help'`,
  );
}

/** Under the name that people know it by: a letter, where there is one. */
function refused(command: CommandSpec, { name, short }: FlagSpec, refusal: string): UsageError {
  return usage(command, `${short === undefined ? `--${name}` : `-${short}`} ${refusal}`);
}

/** The value as text (`true` or `false` for a switch), or what is wrong with it. */
function checkedValue(
  command: CommandSpec,
  flag: FlagSpec,
  given: string | undefined,
): string | UsageError {
  if (flag.value === undefined) {
    const on = given === undefined || goTrue.has(given);
    if (!on && !goFalse.has(given)) {
      return usage(command, `invalid boolean value "${given}" for flag --${flag.name}`);
    }
    if (on && flag.refusal !== undefined) return refused(command, flag, flag.refusal);
    return String(on);
  }
  if (given === undefined) {
    return usage(
      command,
      `flag needs an argument: --${flag.name}`,
      `write --${flag.name}=<${flag.value.placeholder}>`,
    );
  }
  if (flag.refusal !== undefined) return refused(command, flag, flag.refusal);
  if (flag.value.kind === "integer" && !/^[+-]?\d{1,15}$/.test(given)) {
    return usage(command, `invalid value "${given}" for flag --${flag.name}: not a whole number`);
  }
  if (flag.value.choices !== undefined && !flag.value.choices.includes(given)) {
    return usage(
      command,
      `invalid value "${given}" for flag --${flag.name}: not one of ${flag.value.choices.join(", ")}`,
    );
  }
  return given;
}

function checkArguments(command: CommandSpec, given: readonly string[]): void {
  const needed = command.arguments.filter((argument) => argument.minimum === 1);
  if (given.length < needed.length) {
    const names = needed.map(argumentPlaceholder).join(" ");
    throw usage(command, `'weave ${command.name}' needs ${names}`);
  }
  if (command.hidden !== true && given.includes("")) {
    const remedy = "leave it out, or see which variable of the shell is empty";
    throw usage(command, `'weave ${command.name}' does not take an empty word`, remedy);
  }
  const endless = command.arguments.some((argument) => argument.maximum === "many");
  const extra = endless ? [] : given.slice(command.arguments.length);
  if (extra.length > 0) {
    throw usage(command, `'weave ${command.name}' does not take '${extra.join(" ")}'`);
  }
  const only = command.arguments[0];
  const word = given[0];
  if (only?.choices !== undefined && word !== undefined && !only.choices.includes(word)) {
    const near = suggest(word, only.choices);
    throw usage(
      command,
      `Invalid 'weave ${command.name}' sub-command: ${given.join(" ")}`,
      near === undefined ? `it is one of ${only.choices.join(", ")}` : `did you mean '${near}'?`,
    );
  }
}

/** Flags that were not given take their value from the environment; empty variables count as unset. */
function addEnvironment(
  command: CommandSpec,
  values: Map<string, string[]>,
  environment: Environment,
): void {
  for (const flag of command.flags) {
    if (flag.environment === undefined || values.has(flag.name)) continue;
    const value = environment[flag.environment];
    if (value === undefined || value === "") continue;
    values.set(flag.name, [flag.value === undefined ? "true" : value]);
  }
}
