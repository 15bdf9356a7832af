import { type FindingCode, findingKinds } from "./finding-kinds.ts";

/** How much a finding matters: `weave doctor` and `weave why` end with a code that says the worst. */
export type Severity = "error" | "warning" | "note";

/** One thing that was found, as text, JSON and exit code say it alike. */
export interface Finding {
  /** Stable; docs/doctor.md has them all. */
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What it is about: a device, a peer, a container, a rule. */
  readonly about: string;
  /** What is wrong, in one sentence. */
  readonly sentence: string;
  /** What to do, in one sentence. */
  readonly remedy: string;
  /** The commands that mend it, in order and ready for a shell; none where only people can. */
  readonly commands: readonly string[];
}

export interface Mend {
  /** Default: what docs/doctor.md says of this code. */
  readonly remedy?: string;
  readonly commands?: readonly string[];
}

export function finding(
  code: FindingCode,
  about: string,
  sentence: string,
  mend: Mend = {},
): Finding {
  const { severity, remedy } = findingKinds[code];
  return {
    code,
    severity,
    about,
    sentence,
    remedy: mend.remedy ?? remedy,
    commands: mend.commands ?? [],
  };
}

const order: readonly Severity[] = ["error", "warning", "note"];

/** `undefined` when there is none. */
export function worstOf(findings: readonly Finding[]): Severity | undefined {
  return order.find((severity) => findings.some((each) => each.severity === severity));
}

/** The worst first, otherwise in the order in which they were found; each once. */
export function sorted(findings: readonly Finding[]): Finding[] {
  const unique = new Map(findings.map((each) => [`${each.code} ${each.sentence}`, each]));
  return order.flatMap((severity) =>
    [...unique.values()].filter((each) => each.severity === severity),
  );
}
