import type { ContainerFacts } from "./facts.ts";

/** A word as a POSIX shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command line of these words. */
export function shellLine(...words: readonly (string | number)[]): string {
  return words.map((word) => shellWord(String(word))).join(" ");
}

const namedFolder = "/run/netns/";

/** `ip …` inside a container; `undefined` when nobody knows where it is. */
export function ipInside(
  { namespacePath }: Pick<ContainerFacts, "namespacePath">,
  ...words: readonly (string | number)[]
): string | undefined {
  if (namespacePath === undefined) return undefined;
  const name = namespacePath.startsWith(namedFolder)
    ? namespacePath.slice(namedFolder.length)
    : undefined;
  return name === undefined || name.includes("/")
    ? shellLine("nsenter", `--net=${namespacePath}`, "ip", ...words)
    : shellLine("ip", "-n", name, ...words);
}
