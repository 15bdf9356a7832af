import { msToBeat } from "../../base/beat.ts";
import { EarlyBeat } from "./early-beat.ts";

const heartbeatFastMs = 500;
const heartbeatSlowMs = 10_000;
const receiveTimeoutMs = 60_000;

const never = Number.POSITIVE_INFINITY;

/**
 * When the heartbeats of a link go out, and when its peer counts as dead (sleeve §7). All times are
 * monotonic milliseconds.
 *
 *   resting ──the first──▶ every 500 ms ──acknowledged──▶ every 10 s, those of all links together,
 *                                                         earlier where nothing is heard
 *
 *   confirmed, or heard ──60 s without a heartbeat of the peer──▶ dead
 */
export class HeartbeatTimes {
  readonly #early = new EarlyBeat();
  #isSlow = false;
  #lastMs = never;
  #nextMs = never;
  #deadMs = never;
  #heardMs: number | undefined;

  /** When the last heartbeat of the peer came. */
  get heardMs(): number | undefined {
    return this.#heardMs;
  }

  /** When {@link isDue} or {@link isDead} may say something else; infinite when never. */
  get deadlineMs(): number {
    return Math.min(this.#nextMs, this.#early.dueMs, this.#deadMs);
  }

  /** The link is to be: from now on its peer is to be heard. */
  confirmed(nowMs: number): void {
    this.#deadMs = nowMs + receiveTimeoutMs;
  }

  /** A heartbeat goes out. */
  beat(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#nextMs = this.#after(nowMs);
  }

  /** The peer has heard one; gives how many milliseconds ago the last one went out. */
  acknowledged(nowMs: number): number {
    this.#isSlow = true;
    this.#nextMs = this.#after(nowMs);
    return Math.max(0, nowMs - this.#lastMs);
  }

  /** A heartbeat of the peer came. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#deadMs = nowMs + receiveTimeoutMs;
  }

  /** Something else was sent. @param datagramsIn how many of the peer have come so far */
  sent(nowMs: number, datagramsIn: number): void {
    this.#early.sent(nowMs, datagramsIn);
  }

  /** Whether a heartbeat has to go out now. @param datagramsIn as with {@link sent} */
  isDue(nowMs: number, datagramsIn: number): boolean {
    const isEarly = this.#early.isDue(nowMs, datagramsIn);
    return isEarly || nowMs >= this.#nextMs;
  }

  isDead(nowMs: number): boolean {
    return nowMs >= this.#deadMs;
  }

  #after(nowMs: number): number {
    return nowMs + (this.#isSlow ? msToBeat(nowMs, heartbeatSlowMs) : heartbeatFastMs);
  }
}
