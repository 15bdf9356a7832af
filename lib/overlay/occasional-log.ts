import type { Log, World } from "../base/world.ts";

/**
 * Keeps what strangers can provoke from filling the log: a line about a subject is written when it
 * first occurs and then at most once per period, saying how often it happened in between.
 */
export const occasionalPeriodMs = 10_000;

/** Beyond this many subjects all further ones share a single period. */
export const occasionalSubjectsMax = 256;

interface Subject {
  silentUntilMs: number;
  suppressed: number;
}

export class OccasionalLog {
  readonly #world: Pick<World, "monotonicMs" | "log">;
  readonly #subjects = new Map<string, Subject>();

  constructor(world: Pick<World, "monotonicMs" | "log">) {
    this.#world = world;
  }

  /** `line` is only built when it is written. */
  note(level: keyof Log, subject: string, line: () => string): void {
    const nowMs = this.#world.monotonicMs();
    const state = this.#state(subject);
    if (nowMs < state.silentUntilMs) {
      state.suppressed++;
      return;
    }
    const before = state.suppressed === 0 ? "" : ` (and ${state.suppressed} times before)`;
    state.suppressed = 0;
    state.silentUntilMs = nowMs + occasionalPeriodMs;
    this.#world.log[level](line() + before);
  }

  #state(subject: string): Subject {
    const name = this.#subjects.has(subject) || this.#hasRoom() ? subject : "";
    const known = this.#subjects.get(name);
    if (known !== undefined) return known;
    const state = { silentUntilMs: Number.NEGATIVE_INFINITY, suppressed: 0 };
    this.#subjects.set(name, state);
    return state;
  }

  #hasRoom(): boolean {
    return this.#subjects.size < occasionalSubjectsMax;
  }

  /** Forgets a subject that is no more. */
  forget(subject: string): void {
    this.#subjects.delete(subject);
  }
}
