/**
 * Whether a peer's heartbeats come, judged so that a path which works now and then does not make
 * frames change overlay with every heartbeat.
 *
 *   hearing ──silence──▶ deaf ──full heartbeats without silence for the settling time──▶ hearing
 *
 * The settling time grows with each loss within {@link memoryMs}.
 *
 * A router that hangs says nothing either, and its kernel carries frames as before, while no other
 * overlay would. So whoever can answer is asked another way before its silence counts:
 *
 *   last heartbeat ── silenceMs − answerMs ──▶ asked ──▶ answers ── answerMs ──▶ deaf
 *                                                  └──▶ does not: hearing as before
 *
 * Whoever looks too late has not listened meanwhile: the peer has its time to be heard once more.
 *
 * Who has another reason to suspect the path asks before any heartbeat is late, and has an answer
 * sooner, for the answer and the heartbeats that come with it are all that is waited for.
 */
export interface HearingRules {
  /** After this time without any heartbeat the path is lost. */
  readonly silenceMs: number;
  /** The same for full heartbeats: what is long does not pass any more. */
  readonly fullSilenceMs: number;
  /** After the first loss; 0 for at once, with the first heartbeat that comes. */
  readonly settlingMs: number;
  /** Who answers that it lives has so long to be heard; 0 for a peer that cannot be asked. */
  readonly answerMs: number;
}

/**
 * A peer of the original sends a full heartbeat every 10 s and nothing else: after two that did not
 * come it is lost. (It itself waits for a minute.)
 */
export const originalRules: HearingRules = {
  silenceMs: 25_000,
  fullSilenceMs: 25_000,
  settlingMs: 0,
  answerMs: 0,
};

/** A peer of our own kind sends something every second: four losses in a row are no accident. */
export const ownKindRules: HearingRules = {
  silenceMs: 4_500,
  fullSilenceMs: 25_000,
  settlingMs: 2_000,
  answerMs: 0,
};

/** One that says over its connection that it lives when it is asked. */
export const answeringRules: HearingRules = { ...ownKindRules, answerMs: 1_500 };

/**
 * One that also sends {@link lifeBeats} heartbeats then. So it is asked as soon as a heartbeat is late,
 * and without it four losses in a row are as soon known as one.
 */
export const showingRules: HearingRules = { ...ownKindRules, silenceMs: 2_000, answerMs: 700 };

/** How many heartbeats show that a path is alive, and the time between two of them. */
export const lifeBeats = 3;
export const lifeBeatMs = 150;

/** The same as {@link HearingRules.answerMs} for a path that is suspected: two such heartbeats. */
export const suspectedAnswerMs = 250;

/** Who looks so much too late had no processor, and has not listened either. */
const lateMs = 200;

const memoryMs = 10 * 60_000;
const laterSettlingMs = 5_000;
const settlingMaxMs = 30_000;

export class Hearing {
  readonly #rules: HearingRules;
  readonly #ask: () => void;
  #hears = true;
  /** Since it was heard for the last time. */
  #asked = false;
  #askedMs = 0;
  #answeredMs: number | undefined;
  #isSuspected = false;
  /** Whether its time to be heard began anew in this silence. */
  #wasLate = false;
  /** Whether anything was heard; before that, only the longer silence counts. */
  #began = false;
  #lastMs: number;
  #lastFullMs: number;
  /** Since when full heartbeats have come without silence. */
  #steadySinceMs: number;
  /** When the path was lost, latest last; those within {@link memoryMs}. */
  #losses: number[] = [];

  /**
   * @param nowMs when the peer may begin to send
   * @param ask asks the peer whether it lives
   */
  constructor(rules: HearingRules, nowMs: number, ask: () => void = () => {}) {
    this.#rules = rules;
    this.#ask = ask;
    this.#lastMs = nowMs;
    this.#lastFullMs = nowMs;
    this.#steadySinceMs = nowMs;
  }

  get hears(): boolean {
    return this.#hears;
  }

  /** Whether a heartbeat ever came. */
  get began(): boolean {
    return this.#began;
  }

  /** Whether the peer has yet to say that it lives. */
  get asks(): boolean {
    return this.#asked && this.#answeredMs === undefined;
  }

  get lastHeardMs(): number {
    return this.#lastMs;
  }

  /** When the path was lost for the last time; `undefined` when that is long ago. */
  get lostAtMs(): number | undefined {
    return this.#losses.at(-1);
  }

  heard(nowMs: number, isFull: boolean): void {
    const wasSilent = nowMs - this.#lastMs >= this.#rules.silenceMs;
    this.#began = true;
    // Whoever said nothing at all for long could say nothing long.
    if (this.#asked && nowMs - this.#lastMs >= ownKindRules.silenceMs) this.#lastFullMs = nowMs;
    this.#lastMs = nowMs;
    this.#asked = false;
    this.#isSuspected = false;
    this.#answeredMs = undefined;
    this.#wasLate = false;
    if (!isFull) return;
    const wasLong = wasSilent || nowMs - this.#lastFullMs >= this.#rules.fullSilenceMs;
    if (wasLong) this.#steadySinceMs = nowMs;
    this.#lastFullMs = nowMs;
    if (!this.#hears && nowMs - this.#steadySinceMs >= this.#settlingMs(nowMs)) this.#hears = true;
  }

  /** The peer says that it lives. */
  answered(nowMs: number): void {
    if (this.asks) this.#answeredMs = nowMs;
  }

  /** Asks now, if the peer can be asked and has not been since it was heard. Whether it did. */
  suspect(nowMs: number): boolean {
    const canAsk = this.#hears && this.#began && this.#rules.answerMs > 0;
    if (!canAsk || this.#asked) return false;
    this.#isSuspected = true;
    this.#askNow(nowMs);
    return true;
  }

  /** Since when an answer is waited for; `undefined` when none is. */
  get askedMs(): number | undefined {
    return this.#asked ? this.#askedMs : undefined;
  }

  #askNow(nowMs: number): void {
    this.#asked = true;
    this.#askedMs = nowMs;
    this.#ask();
  }

  /** When {@link check} has something to find if nothing is heard until then. */
  get deadlineMs(): number {
    if (!this.#hears) return Number.POSITIVE_INFINITY;
    const { silenceMs, fullSilenceMs } = this.#rules;
    const answerMs = this.#isSuspected ? suspectedAnswerMs : this.#rules.answerMs;
    const fullMs = this.#lastFullMs + fullSilenceMs;
    if (!this.#began) return fullMs;
    if (!this.#asked) return Math.min(this.#lastMs + silenceMs - answerMs, fullMs);
    return this.#answeredMs === undefined ? Number.POSITIVE_INFINITY : this.#answeredMs + answerMs;
  }

  check(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    if (this.#isToAsk(nowMs)) {
      this.#askNow(nowMs);
      return;
    }
    if (this.#isLate(nowMs)) {
      this.#wasLate = true;
      this.#answeredMs = nowMs;
      return;
    }
    this.#hears = false;
    this.#steadySinceMs = nowMs;
    if (this.#began) this.#losses = [...this.#recent(nowMs), nowMs];
  }

  #isToAsk(nowMs: number): boolean {
    const { silenceMs, answerMs } = this.#rules;
    const isSilent = this.#began && nowMs - this.#lastMs >= silenceMs - answerMs;
    return answerMs > 0 && isSilent && !this.#asked;
  }

  #isLate(nowMs: number): boolean {
    if (this.#answeredMs === undefined || this.#wasLate) return false;
    return nowMs - this.deadlineMs > lateMs;
  }

  #recent(nowMs: number): number[] {
    return this.#losses.filter((lostAtMs) => nowMs - lostAtMs < memoryMs);
  }

  #settlingMs(nowMs: number): number {
    const losses = this.#recent(nowMs).length;
    if (losses === 0) return 0;
    if (losses === 1) return this.#rules.settlingMs;
    return Math.min(laterSettlingMs * 2 ** (losses - 1), settlingMaxMs);
  }
}
