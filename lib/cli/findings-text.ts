import { counted } from "../base/counted.ts";
import type { Finding, Severity } from "../diagnosis/finding.ts";
import { exitCode } from "./exit-code.ts";
import { wrap } from "./text-layout.ts";

/** How findings look: the sentence, then what to do, then the commands, ready to be copied. */
const colours: Readonly<Record<Severity, number>> = { error: 31, warning: 33, note: 36 };

/** `text` as it is on a terminal without colours. */
export function painted(text: string, colour: number | undefined): string {
  return colour === undefined ? text : `\u001b[${colour}m${text}\u001b[0m`;
}

export function colourOf(severity: Severity | undefined, isColoured: boolean): number | undefined {
  return isColoured && severity !== undefined ? colours[severity] : undefined;
}

/** Of titles and commands. */
export const bold = 1;

/** One finding over several lines; commands are never broken. */
export function findingLines(finding: Finding, isColoured: boolean): string[] {
  const { code, severity, sentence, remedy, commands } = finding;
  const head = `${severity} ${code}`;
  return [
    painted(head, colourOf(severity, isColoured)),
    ...wrap(`${sentence}.`, 2),
    ...wrap(`To mend it: ${remedy}${commands.length === 0 ? "." : ":"}`, 2),
    ...commands.map((command) => `    ${painted(command, isColoured ? bold : undefined)}`),
  ];
}

/** `2 errors, 1 warning`; empty without findings. */
export function findingCounts(findings: readonly Finding[]): string {
  return (["error", "warning", "note"] as const)
    .map((severity) => ({ severity, n: countOf(findings, severity) }))
    .filter(({ n }) => n > 0)
    .map(({ severity, n }) => counted(n, severity))
    .join(", ");
}

function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((each) => each.severity === severity).length;
}

/** The exit code of a command that found these: notes are no reason to be alarmed. */
export function findingsExitCode(worst: Severity | undefined): number {
  if (worst === "error") return exitCode.foundError;
  return worst === "warning" ? exitCode.foundWarning : exitCode.success;
}
