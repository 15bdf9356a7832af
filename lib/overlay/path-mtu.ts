import type { PathMtuPlan } from "./path-mtu-plan.ts";

/**
 * Finds the largest inner packet that one direction of a path carries unfragmented (sleeve §8).
 *
 *    unlimited ──kernel refuses a size──▶ searching ──nothing left to ask──▶ settled
 *                                          ▲  │ ▲                              │ │
 *                                          │  └─┘ round after round            │ │
 *                                          └──── time to ask again, or ────────┘ │
 *                                                the kernel refuses a size ◀─────┘
 *
 *      0        proven            candidates of the round          refused by the kernel
 *      ├──────────┤▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪●▪▪▪▪▪▪▪▪●▪▪▪▪▪▪▪▪●▪▪▪▪▪▪▪▪▪▪▪▪├─────────▶ MTU
 *               good                                              bad
 *
 * A round asks about one or several sizes at once, again and again at doubling intervals, but not
 * before an answer can be there. An answer proves a size and all below it; what stays unanswered is
 * taken for too big. Where nothing at all is answered any more, that is no news about sizes: what
 * was proven is kept until something is answered.
 *
 * The wire knows only "does this size pass?" and "yes"; how it says so is the {@link PathTests}'. What
 * to ask, and what data may use in the meantime, is the {@link PathMtuPlan}'s. All sizes are overlay
 * MTUs (octets of inner IP packet).
 */
export interface PathTests {
  /** Octets that a path MTU loses to headers. */
  readonly overhead: number;
  /** Whether this MTU can be asked about at all; of two that follow each other, one can. */
  testable(mtu: number): boolean;
}

/** Overlay MTU that every path is assumed to carry until asked. */
export const assumedMtu = 552;

/** The overlay MTU of a link that was never refused a size. */
export const unlimitedMtu = 65_535;

/** The smallest path MTU of IPv4 (RFC 791); what a kernel reports below it is not believed. */
export const pathMtuMin = 68;

export const retryFirstMs = 10;

/** A peer that took longer is asked again all the same. */
export const expectedAnswerMaxMs = 500;

/** A round waits for so many times the delay of an earlier answer before silence means no. */
const answersWaited = 4;

export class PathMtu {
  readonly #plan: PathMtuPlan;
  readonly #tests: PathTests;
  #mtu = unlimitedMtu;
  /** Largest the kernel lets out; `undefined` until it refused a size. */
  #kernelMtu: number | undefined;
  #good = assumedMtu;
  /** Whether `good` was answered on this path. */
  #proven = false;
  /** What was proven before it stayed unanswered, until something is answered again. */
  #former: number | undefined;
  /** Whether a whole round stands behind `good`, so that no larger common size passes. */
  #certain = false;
  #bad = unlimitedMtu + 1;
  /** Sizes of this round without an answer, ascending; empty when no search is running. */
  #candidates: number[] = [];
  /** Sizes that the last round gave up. */
  #givenUp: readonly number[] = [];
  #firstRound = false;
  #answeredInRound = false;
  #roundFromMs = 0;
  /** How long after its beginning a round was answered; infinite before the first time. */
  #answerMs = Number.POSITIVE_INFINITY;
  /** How long the peer took to answer a heartbeat; nothing once it has answered a test. */
  #expectedAnswerMs = 0;
  #attempts = 0;
  #due: number[] = [];
  #deadlineMs = Number.POSITIVE_INFINITY;
  #settledMs = 0;
  /** Whether data has relied on the proven size since it was proven. */
  #relied = false;

  constructor(tests: PathTests, plan: PathMtuPlan) {
    this.#tests = tests;
    this.#plan = plan;
  }

  /** Inner packets up to this size are sent unfragmented. */
  get mtu(): number {
    return this.#mtu;
  }

  /**
   * The largest inner packet that may pass, which is what a sender is told whose packet is larger:
   * it keeps to that figure for minutes. Above {@link mtu} only while nothing is certain yet.
   */
  get ceiling(): number {
    return this.searching && !this.#certain ? Math.max(this.#mtu, this.#bad - 1) : this.#mtu;
  }

  /**
   * The largest inner packet that was answered and not disproved by a smaller one that alone is
   * answered now; `undefined` before the first answer.
   */
  get proven(): number | undefined {
    return this.#proven ? this.#good : this.#former;
  }

  get searching(): boolean {
    return this.#candidates.length > 0;
  }

  /** Between which sizes the truth lies: `good` passes, or is assumed to, and `bad` does not. */
  get bounds(): { good: number; bad: number } {
    return { good: this.#good, bad: this.#bad };
  }

  /** A search ended without any answer: even small datagrams may not get through. */
  get silent(): boolean {
    return this.#kernelMtu !== undefined && !this.searching && !this.#proven;
  }

  /** When {@link tick} has something to do; infinite when never. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** The next MTU to send a test for now; `undefined` when there is none. */
  nextProbe(): number | undefined {
    return this.#due.shift();
  }

  /** The peer took so long to answer a heartbeat, which goes the way of a test. */
  expectAnswerAfter(ms: number): void {
    this.#expectedAnswerMs = Math.min(ms, expectedAnswerMaxMs);
  }

  /** The kernel refused a datagram because the path carries IP packets of `pathMtu` octets only. */
  tooBig(pathMtu: number, nowMs: number): void {
    if (pathMtu < pathMtuMin) return;
    const largest = pathMtu - this.#tests.overhead;
    const mtu = this.#tests.testable(largest) ? largest : largest - 1;
    if (mtu < 1 || mtu >= (this.#candidates.at(-1) ?? Number.POSITIVE_INFINITY)) return;
    this.#kernelMtu = mtu;
    this.#bad = mtu + 1;
    const keepsProof = this.#proven && !this.#plan.trustKernel && mtu >= this.#good;
    const former = this.#former ?? Number.POSITIVE_INFINITY;
    if (!keepsProof) this.#doubt(mtu >= former ? former : undefined);
    this.#mtu = this.#plan.trustKernel ? mtu : this.#good;
    if (keepsProof && mtu === this.#good) this.#settle(nowMs);
    else this.#askFirst([mtu], nowMs);
  }

  /** Data was sent that only the proven size lets through: what if it has shrunk? */
  relied(nowMs: number): void {
    if (this.#relied || this.searching || !this.#proven) return;
    this.#relied = true;
    const againMs = Math.max(nowMs, this.#settledMs + this.#plan.recheckReliedMs);
    this.#deadlineMs = Math.min(this.#deadlineMs, againMs);
  }

  /** The peer received a test for `mtu`. Answers to what was not asked lately are ignored. */
  answered(mtu: number, nowMs: number): void {
    if (!this.#candidates.includes(mtu)) {
      if (this.#givenUp.includes(mtu)) this.#answeredLate(nowMs);
      return;
    }
    this.#good = mtu;
    this.#proven = true;
    this.#former = undefined;
    this.#expectedAnswerMs = 0;
    if (!this.#answeredInRound) this.#answerMs = nowMs - this.#roundFromMs;
    this.#answeredInRound = true;
    this.#candidates = this.#candidates.filter((candidate) => candidate > mtu);
    this.#due = this.#due.filter((candidate) => candidate > mtu);
    if (!this.#plan.trustKernel) this.#mtu = mtu;
    if (this.#candidates.length === 0) this.#nextRound(nowMs);
  }

  /** The peer is slower than it was: later rounds wait longer, and silence was no silence. */
  #answeredLate(nowMs: number): void {
    this.#answerMs = Math.max(this.#answerMs, nowMs - this.#roundFromMs);
    const isSilent = this.#former !== undefined && !this.searching;
    if (isSilent) this.#deadlineMs = nowMs;
  }

  /**
   * Repeats tests, gives up on them, or begins a new search, when its time has come. True when a
   * size that was proven passes no longer.
   */
  tick(nowMs: number): boolean {
    if (nowMs < this.#deadlineMs) return false;
    if (!this.searching) this.#recheck(nowMs);
    else if (this.#attempts < this.#attemptsGranted(nowMs)) this.#repeat(nowMs);
    else return this.#giveUp(nowMs);
    return false;
  }

  #attemptsGranted(nowMs: number): number {
    const waited = nowMs - this.#roundFromMs >= answersWaited * this.#answerMs;
    const answers = this.#answeredInRound || waited;
    return answers ? this.#plan.attemptsOnceAnsweredMax : this.#plan.attemptsMax;
  }

  #repeat(nowMs: number): void {
    if (this.#firstRound && this.#attempts === this.#plan.commonAfterAttempts) {
      this.#candidates = this.#common();
    }
    this.#send(nowMs);
  }

  /** True when it is a proven size that is given up. */
  #giveUp(nowMs: number): boolean {
    this.#givenUp = this.#candidates;
    if (this.#former !== undefined) {
      this.#fallSilent(this.#former, nowMs);
      return false;
    }
    const bad = this.#candidates[0]!;
    if (!this.#proven || bad > this.#good) {
      this.#bad = bad;
      this.#nextRound(nowMs);
      return false;
    }
    // A size that was proven is not answered: the path has shrunk, or the peer is out for a moment.
    // So it is asked about once more, together with smaller ones.
    this.#bad = this.#good + 1;
    this.#doubt(this.#good);
    this.#mtu = this.#good;
    this.#askFirst(this.#common(), nowMs);
    return true;
  }

  /**
   * Not even small packets are answered. Were senders told a small size now, they would keep to it
   * for minutes after a peer has come back.
   */
  #fallSilent(former: number, nowMs: number): void {
    this.#candidates = [];
    this.#due = [];
    this.#mtu = former;
    this.#deadlineMs = nowMs + this.#plan.recheckFallenSilentMs;
  }

  /** Falls back on the assumption, which must not exceed what the kernel lets out. */
  #doubt(former: number | undefined): void {
    this.#former = former;
    this.#proven = false;
    this.#certain = false;
    this.#good = this.#plan.trustKernel
      ? assumedMtu
      : Math.min(assumedMtu, this.#kernelMtu ?? assumedMtu);
  }

  #recheck(nowMs: number): void {
    if (this.#proven) {
      this.#ask([this.#good], nowMs);
      return;
    }
    this.#bad = (this.#kernelMtu ?? unlimitedMtu) + 1;
    this.#askFirst(this.#common(), nowMs);
  }

  #nextRound(nowMs: number): void {
    this.#firstRound = false;
    this.#certain = this.#proven;
    const next = this.#good + 1 < this.#bad ? this.#between() : [];
    if (next.length === 0) this.#settle(nowMs);
    else this.#ask(next, nowMs);
  }

  /** Sizes spread evenly between the bounds; one of them is the middle. */
  #between(): number[] {
    const parts = this.#plan.probesPerRound + 1;
    const sizes = new Set<number>();
    for (let part = 1; part < parts; part++) {
      const size = this.#good + Math.floor((part * (this.#bad - this.#good)) / parts);
      if (size > this.#good && this.#tests.testable(size)) sizes.add(size);
    }
    return [...sizes];
  }

  /** The common sizes within the bounds, the assumption and the kernel's figure, ascending. */
  #common(): number[] {
    const sizes = this.#plan.commonPathMtus.map((pathMtu) => pathMtu - this.#tests.overhead);
    sizes.push(assumedMtu, this.#bad - 1);
    const least = this.#proven ? this.#good + 1 : 1;
    return [...new Set(sizes)]
      .filter((size) => size >= least && size < this.#bad && this.#tests.testable(size))
      .sort((a, b) => a - b);
  }

  /** Begins a search, whose first round the common sizes join. */
  #askFirst(sizes: number[], nowMs: number): void {
    this.#firstRound = true;
    this.#ask(sizes, nowMs);
  }

  #ask(sizes: number[], nowMs: number): void {
    this.#candidates = sizes;
    this.#attempts = 0;
    this.#answeredInRound = false;
    this.#roundFromMs = nowMs;
    this.#send(nowMs);
  }

  #send(nowMs: number): void {
    // Largest first, so that the first answer is the best one.
    this.#due = this.#candidates.toReversed();
    const leastMs = this.#plan.repeatAfterAnswers * this.#expectedAnswerMs;
    this.#deadlineMs = nowMs + Math.max(retryFirstMs * 2 ** this.#attempts++, leastMs);
  }

  #settle(nowMs: number): void {
    this.#candidates = [];
    this.#due = [];
    this.#firstRound = false;
    this.#certain = this.#proven;
    this.#bad = this.#good + 1;
    this.#mtu = this.#good;
    this.#settledMs = nowMs;
    this.#relied = false;
    this.#deadlineMs = nowMs + (this.#proven ? this.#plan.recheckMs : this.#plan.recheckSilentMs);
  }
}
