import { type Finding, sorted, worstOf } from "../finding.ts";

/** The answer of `weave why`: the way of a frame, step by step, and what is wrong with it. */
export interface Explanation {
  readonly from: string;
  readonly to: string | null;
  readonly verdict: Verdict;
  /** The question answered in one sentence. */
  readonly answer: string;
  readonly steps: readonly Step[];
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/**
 * `whole`: nothing known here is in the way; `degraded`: there is a way, not the best; `broken`:
 * there is none.
 */
export type Verdict = "whole" | "degraded" | "broken";

export interface Step {
  readonly kind: "container" | "bridge" | "policy" | "hop" | "names" | "unseen";
  /** Where the frame is: `netns:blue`, `host1 → host2`. */
  readonly title: string;
  readonly details: readonly Detail[];
}

export interface Detail {
  readonly name: string;
  readonly value: string;
}

/** Details that are known, by name. */
export function detailsOf(known: Readonly<Record<string, string | undefined>>): Detail[] {
  return Object.entries(known).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [{ name, value }],
  );
}

/** A part of the way, and what is wrong there. */
export interface Part {
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
}

export function joined(...parts: readonly Part[]): Part {
  return {
    steps: parts.flatMap(({ steps }) => steps),
    findings: sorted(parts.flatMap(({ findings }) => findings)),
  };
}

export function verdictOn(findings: readonly Finding[]): Verdict {
  const worst = worstOf(findings);
  if (worst === "error") return "broken";
  return worst === "warning" ? "degraded" : "whole";
}
