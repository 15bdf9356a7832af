import type { CommandSpec } from "../../lib/cli/command-spec.ts";
import { findAnswered, findCommand } from "../../lib/cli/command-table.ts";

/** Taken by every command, and before its name. */
const everywhere = new Set(["help"]);

/**
 * Commands of `weave` and options of theirs that a page names, in its texts or blocks of a shell, and
 * that the program does not have; each with the code it stands in.
 */
export function unknownCommands(markdown: string): string[] {
  const inText = [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  const blocks = markdown.matchAll(/^\s*```(?:sh|console)[^\n]*\n([\s\S]*?)^\s*```/gm);
  const lines = [...blocks].flatMap(([, script]) => script!.split("\n"));
  return [...inText, ...lines].flatMap((code) =>
    [...code.matchAll(/(?:^|[|&;(] *|\$ |sudo )weave ([a-z][a-z-]*)([^|&;#)]*)/g)].flatMap(
      ([, name, rest]) => faultsOf(name!, rest!).map((fault) => `${fault}: ${code.trim()}`),
    ),
  );
}

function faultsOf(name: string, rest: string): string[] {
  const command = findCommand(name);
  if (command !== undefined) return unknownFlags(command, rest);
  return findAnswered(name) === undefined ? [`no command ${name}`] : [];
}

function unknownFlags({ flags }: CommandSpec, rest: string): string[] {
  const known = new Set(
    flags.flatMap(({ name, formerly = [] }) => [name, ...formerly.map((former) => former.name)]),
  );
  return [...rest.matchAll(/(?<=\s)--([a-z][a-z0-9-]*)/g)]
    .map(([, flag]) => flag!)
    .filter((flag) => !known.has(flag) && !everywhere.has(flag))
    .map((flag) => `no option --${flag}`);
}
