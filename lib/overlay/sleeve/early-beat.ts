/** How long nothing may come from a peer that we send to, before it gets a heartbeat out of turn. */
export const unheardMs = 2_000;

/** Where nothing comes still, as from a peer that only receives, the next ones follow more slowly. */
export const unheardMaxMs = 10_000;

const never = Number.POSITIVE_INFINITY;

/**
 * When to send a heartbeat out of turn. A gateway that translates addresses may forget what it gave us
 * and give us another one; what the peer sends goes to the former one until a heartbeat shows it ours
 * (sleeve §7.2), which may be a slow one's 11 s away. Whoever sends and hears nothing need not wait.
 *
 *            sent             due, something came
 *   resting ──────▶ waiting ──────────────────────▶ resting
 *      ▲               │ due, nothing came
 *      └── heartbeat ◀─┘ and the next wait is twice as long, 10 s at most
 *
 * Nothing waits, and nothing is sent, where containers are silent.
 */
export class EarlyBeat {
  #dueMs = never;
  #waitMs = unheardMs;
  #heard = 0;

  /** When {@link isDue} has to be asked, in monotonic milliseconds; infinite while resting. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Something was sent. @param heard how many datagrams of the peer have come so far */
  sent(nowMs: number, heard: number): void {
    if (this.#dueMs !== never) return;
    this.#dueMs = nowMs + this.#waitMs;
    this.#heard = heard;
  }

  /** Whether a heartbeat has to go out now. @param heard as with {@link sent} */
  isDue(nowMs: number, heard: number): boolean {
    if (nowMs < this.#dueMs) return false;
    this.#dueMs = never;
    const unheard = heard === this.#heard;
    this.#waitMs = unheard ? Math.min(2 * this.#waitMs, unheardMaxMs) : unheardMs;
    return unheard;
  }
}
