import { measured, type Sample } from "../../api/metrics/measurement.ts";
import type { Diagnosis } from "../../diagnosis/doctor/diagnosis.ts";

/**
 * What `weave doctor` found the last time somebody asked it. To ask it is too much for a scrape: it
 * looks at every rule and every container.
 */
export class LastDiagnosis {
  readonly #nowMs: () => number;
  #last: { readonly atMs: number; readonly findings: Diagnosis["findings"] } | undefined;

  constructor(nowMs: () => number = () => Date.now()) {
    this.#nowMs = nowMs;
  }

  noted(diagnosis: Diagnosis): Diagnosis {
    this.#last = { atMs: this.#nowMs(), findings: diagnosis.findings };
    return diagnosis;
  }

  measurements(): Sample[] {
    if (this.#last === undefined) return [];
    const { atMs, findings } = this.#last;
    const byCode = Map.groupBy(findings, ({ code, severity }) => `${code} ${severity}`);
    return [
      measured("weave_doctor_last_run_time_seconds", atMs / 1000),
      ...[...byCode.values()].map((same) => {
        const { code, severity } = same[0]!;
        return measured("weave_doctor_findings", same.length, { code, severity });
      }),
    ];
  }
}
