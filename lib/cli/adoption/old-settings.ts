import { assert } from "../../base/errors.ts";
import type { LeftOut, OldSettings } from "../../daemon/adoption/settings.ts";
import { type LaunchFacts, launchOptions } from "../../daemon/launch-validation.ts";
import { type CommandSpec, type FlagSpec, findFlag } from "../command-spec.ts";
import { findCommand } from "../command-table.ts";
import { parseWords } from "../parse.ts";

/** Files of the old router's own that ours has elsewhere, or does not need. */
const ofItsFiles: ReadonlySet<string> = new Set(["db-prefix", "proc-path", "host-root"]);

/** What the old router's program does without these options, where ours does otherwise. */
const itsDefaults: ReadonlyArray<readonly [flag: string, value: string]> = [
  ["ipalloc-range", ""],
  ["dns-listen-address", "0.0.0.0:53"],
  ["http-addr", ""],
  ["status-addr", ""],
  ["proxy", "false"],
  ["plugin", "false"],
];

const itsDatabasePrefix = "/weavedb/weave";

/**
 * The arguments of the old router's program, `weaver`, in our terms (cli §5.2). Its options end at
 * the first peer. What has no counterpart is left out and told.
 *
 * @param machine `isShared`: whether a path leads to the same file for both
 * @param more options of ours that it has nothing of, as words
 * @throws UsageError, WeaveError when ours would not take a value
 */
export function translateSettings(
  words: readonly string[],
  machine: LaunchFacts & { isShared(path: string): boolean },
  more: readonly string[] = [],
): OldSettings {
  const launch = findCommand("launch");
  assert(launch !== undefined, "there is a command to launch with");
  const { given, peers } = divide(launch, words);
  const kept: Given[] = [];
  const leftOut: LeftOut[] = [];
  for (const each of given) {
    const why = whyLeftOut(each, machine.isShared);
    if (why === undefined) kept.push(each);
    else if (why !== "") leftOut.push({ flag: each.written, why });
  }
  const missing = itsDefaults.filter(([flag]) => !kept.some(({ spec }) => spec?.name === flag));
  const ours = [
    ...kept.map(wordOf),
    ...missing.map(([flag, value]) => `--${flag}=${value}`),
    ...more,
  ];
  const parsed = parseWords(launch, [...ours, ...peers], {});
  const prefix = given.find(({ name }) => name === "db-prefix")?.value ?? itsDatabasePrefix;
  const options = launchOptions(
    {
      peers: parsed.arguments,
      enabled: (flag) => parsed.flags.enabled(flag),
      text: (flag) => parsed.flags.text(flag),
      list: (flag) => parsed.flags.list(flag),
    },
    machine,
  );
  return { options, words: ours, database: `${prefix}data.db`, leftOut };
}

/** An option as it was given. */
interface Given {
  /** With its dashes. */
  readonly written: string;
  readonly name: string;
  /** `undefined` for an option that ours does not know. */
  readonly spec: FlagSpec | undefined;
  /** `undefined` for a switch. */
  readonly value: string | undefined;
}

function divide(
  command: CommandSpec,
  words: readonly string[],
): { given: Given[]; peers: readonly string[] } {
  const given: Given[] = [];
  for (let at = 0; at < words.length; at++) {
    const match = /^(--?([A-Za-z][\w-]*))(?:=([\s\S]*))?$/.exec(words[at]!);
    if (match === null) return { given, peers: words.slice(at) };
    const [written, name] = [match[1]!, match[2]!];
    const spec = findFlag(command, name);
    const value = match[3] ?? (spec?.value === undefined ? undefined : words[++at]);
    given.push({ written, name, spec, value });
  }
  return { given, peers: [] };
}

/** A clause, empty where nobody misses it; `undefined` for what is taken. */
function whyLeftOut(
  { name, spec, value }: Given,
  isShared: (path: string) => boolean,
): string | undefined {
  if (spec === undefined) return "is not known here";
  // Ours takes up the peers anyway.
  if (ofItsFiles.has(spec.name) || spec.name === "resume") return "";
  if (name === "resolv-conf" && value !== undefined && !isShared(value)) {
    return `names ${value}, which only the old router's container has; /etc/resolv.conf is read`;
  }
  if (spec.refusal === undefined) return undefined;
  return spec.value === undefined && value === "false" ? "" : spec.refusal;
}

function wordOf({ spec, name, value }: Given): string {
  const former = spec?.formerly?.find((each) => each.name === name);
  const flag = `--${spec?.name ?? name}`;
  return value === undefined ? flag : `${flag}=${former?.valuePrefix ?? ""}${value}`;
}
