import { errorText, WeaveError } from "../../base/errors.ts";
import { parseDurationMs } from "../../daemon/duration.ts";
import { ApiError } from "../api-error.ts";

/** Time, as {@link repeat} needs it. */
export interface Pace {
  nowMs(): number;
  /** Resolves after a time, or as soon as it is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const machinePace: Pace = {
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    }),
};

export interface Repetition {
  readonly intervalMs: number;
  /** Whether the first look is not after an interval. */
  readonly isAtOnce?: boolean;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  /** One look. */
  look(): Promise<void>;
  /** The router does not answer, or not now: a sentence; looking goes on. */
  missed(sentence: string): void;
}

/** Looks take no more than this part of the time: large networks are looked at less often. */
const busyPartMax = 0.2;

/**
 * Looks again and again until it is aborted.
 *
 * @throws whatever a look throws, but for an {@link ApiError}
 */
export async function repeat(repetition: Repetition): Promise<void> {
  const { intervalMs, signal, pace, look, missed } = repetition;
  if (repetition.isAtOnce !== true) await pace.wait(intervalMs, signal);
  while (!signal.aborted) {
    const startMs = pace.nowMs();
    try {
      await look();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      missed(errorText(error));
    }
    const tookMs = pace.nowMs() - startMs;
    const restMs = Math.max(intervalMs - tookMs, tookMs / busyPartMax - tookMs);
    await pace.wait(restMs, signal);
  }
}

const intervalMinMs = 100;
const intervalMaxMs = 3_600_000;

/** As `--interval` has it. @throws WeaveError `INTERVAL_RANGE`, `DURATION_FORMAT` */
export function intervalOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms >= intervalMinMs && ms <= intervalMaxMs) return ms;
  throw new WeaveError("INTERVAL_RANGE", `nobody can look every ${text}`, {
    remedy: "write a duration from 100ms to 1h",
  });
}
