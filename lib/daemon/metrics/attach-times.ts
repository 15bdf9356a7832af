import { distributed, type Measurement, measured } from "../../api/metrics/measurement.ts";
import { Histogram } from "../../base/histogram.ts";

/** Seconds. */
export const attachBoundsS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Who asks: `weave attach`, events of the Docker engine, or the CNI plugin. */
export const attachCallers = ["command", "engine", "cni"] as const;
export type AttachCaller = (typeof attachCallers)[number];

/** How long containers wait for their interfaces, and how often there was none. */
export class AttachTimes {
  readonly #nowMs: () => number;
  readonly #times = new Map<AttachCaller, Histogram>();
  readonly #failures = new Map<AttachCaller, number>();

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  async measure<T>(by: AttachCaller, attach: () => Promise<T>): Promise<T> {
    const startMs = this.#nowMs();
    try {
      const answer = await attach();
      this.#of(by).observe((this.#nowMs() - startMs) / 1000);
      return answer;
    } catch (error) {
      this.#failures.set(by, (this.#failures.get(by) ?? 0) + 1);
      throw error;
    }
  }

  measurements(): Measurement[] {
    return attachCallers.flatMap((by) => [
      distributed("weave_attach_seconds", this.#of(by).read(), { by }),
      measured("weave_attach_failures_total", this.#failures.get(by) ?? 0, { by }),
    ]);
  }

  #of(by: AttachCaller): Histogram {
    const known = this.#times.get(by);
    if (known !== undefined) return known;
    const made = new Histogram(attachBoundsS);
    this.#times.set(by, made);
    return made;
  }
}
