import type { Facts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { examine } from "./doctor.ts";

/** The answer of `weave doctor`. */
export interface Diagnosis {
  /** What was looked at, so that nothing found means something. */
  readonly examined: {
    /** The router's nickname; null where none answers, and only the host was looked at. */
    readonly router: string | null;
    readonly links: number;
    readonly peers: number;
    readonly containers: number;
  };
  /** The worst first. */
  readonly findings: readonly Finding[];
}

export function diagnose(facts: Facts): Diagnosis {
  const mesh = facts.cluster?.mesh;
  return {
    examined: {
      router: mesh?.nickname ?? null,
      links: mesh?.connections.length ?? 0,
      peers: mesh?.peers.length ?? 0,
      containers: facts.containers.length,
    },
    findings: examine(facts),
  };
}
