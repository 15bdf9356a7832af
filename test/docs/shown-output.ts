/**
 * Whether a program printed what a page shows. Pages show what one run printed, so whatever differs
 * from run to run counts as equal when it is of the same kind:
 *
 *   peer and MAC addresses        8a:3e:3e:3e:3e:02
 *   ids                           12 hexadecimal digits or more
 *   addresses of the network      10.32.0.0/12, the range that is shared out
 *   points in time                2026-01-02T15:04:05.123Z
 *   ports that the kernel chose   :49152 and above
 *   measures                      numbers with a fraction: 0.123 ms; runs of digits before ms, s, kB, MB
 *
 * In a line `…` stands for anything, and a line of `…` alone for any lines. Empty lines and blanks at
 * the ends of lines do not count, nor does how many blanks part two words.
 */
export function isShown(shown: string, printed: string): boolean {
  return matches(linesOf(shown), linesOf(printed));
}

const kinds: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, "‹time›"],
  [/\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g, "‹mac›"],
  [/\b[0-9a-f]{12,}\b/g, "‹id›"],
  [/\b10\.(?:3[2-9]|4[0-7])\.\d{1,3}\.\d{1,3}\b/g, "‹address›"],
  [/:(?:3[2-9]|[4-6]\d)\d{3}\b/g, ":‹port›"],
  [/\b\d+(?:\.\d+)? ?(?=(?:[nµm]?s|[kMG]?B|octets)\b)/g, "‹n›"],
  [/(?<![\d.])\d+\.\d+(?![\d.])/g, "‹n›"],
];

function linesOf(text: string): string[] {
  let plain = text;
  for (const [kind, word] of kinds) plain = plain.replace(kind, word);
  return plain
    .split("\n")
    .map((line) => line.trim().replace(/[ \t]+/g, " "))
    .filter((line) => line !== "");
}

/** Lines against lines; each `…` alone takes as few of them as will do. */
function matches(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (first === "…") {
    return printed.some((_, at) => matches(rest, printed.slice(at))) || rest.length === 0;
  }
  const line = printed[0];
  return line !== undefined && lineMatches(first, line) && matches(rest, printed.slice(1));
}

function lineMatches(shown: string, printed: string): boolean {
  const parts = shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(printed);
}
