import type { IpFamily } from "../../base/ip.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";
import { PathMtu, unlimitedMtu } from "../path-mtu.ts";
import type { PathMtuPlan } from "../path-mtu-plan.ts";
import type { PathLimits } from "./carriage.ts";
import { datagramMaxOfMtu, pathOverhead } from "./datagram.ts";
import { fragmentationTestSize, mtuTestable, pathMtuTriggerSize } from "./special-frame.ts";

/**
 * What the way to one neighbour carries, found out by tests (sleeve §8): how large a datagram may
 * be without being fragmented, and whether fragmented ones arrive.
 *
 *   test ──▶ 60001 zeros, may be fragmented ──── tag 2: fragments arrive ──▶ stackFragments
 *        └─▶ 60000 zeros, DF ── kernel refuses, saying the path MTU it believes in ──▶ PathMtu
 */
export const pathTestMs = 5 * 60_000;

/** Silence to a fragmentation test after this long means no. */
export const fragmentationAnswerMaxMs = 5_000;

/** A peer that acknowledges us again and again makes us test no more often than this. */
export const pathTestMinMs = 1_000;

const never = Number.POSITIVE_INFINITY;

/** The time all links of an engine share: monotonic milliseconds, set once per burst. */
export interface BurstClock {
  readonly nowMs: number;
}

export interface PathOptions {
  readonly headSize: number;
  /** Of the underlay. */
  readonly family: IpFamily;
  readonly plan: PathMtuPlan;
  readonly clock: BurstClock;
  /** Sends a frame of so many zero octets at once. May call {@link Path.tooBig} before it returns. */
  readonly sendZeros: (df: boolean, length: number) => void;
  /** The limits of this path are others now. */
  readonly changed: () => void;
}

export class Path implements PathLimits {
  readonly #options: PathOptions;
  readonly #pathMtu: PathMtu;
  #stackFragments = false;
  #peerTakes = unlimitedMtu;
  #testedMs = Number.NEGATIVE_INFINITY;
  #testAtMs = never;
  #fragmentationAnswerByMs = never;

  constructor(options: PathOptions) {
    this.#options = options;
    const overhead = pathOverhead(options.headSize, options.family);
    this.#pathMtu = new PathMtu({ overhead, testable: mtuTestable }, options.plan);
  }

  get mtu(): number {
    return Math.min(this.#pathMtu.mtu, this.#peerTakes);
  }
  get ceiling(): number {
    return Math.min(this.#pathMtu.ceiling, this.#peerTakes);
  }
  /** What arrives in pieces is put together again, and would be too large for the peer. */
  get stackFragments(): boolean {
    return this.#stackFragments && this.#peerTakes === unlimitedMtu;
  }
  /** Datagrams up to this size may be sent with DF. */
  get datagramMax(): number {
    return datagramMaxOfMtu(this.#pathMtu.mtu, this.#options.headSize);
  }
  get searching(): boolean {
    return this.#pathMtu.searching;
  }
  /** No test was answered, not even for small packets. */
  get silent(): boolean {
    return this.#pathMtu.silent;
  }

  /** Tests the path now and every five minutes. The old answers stand until new ones have come. */
  test(): void {
    const { clock, sendZeros } = this.#options;
    if (clock.nowMs - this.#testedMs < pathTestMinMs) return;
    this.#testedMs = clock.nowMs;
    this.#testAtMs = clock.nowMs + pathTestMs;
    this.#testFragments();
    sendZeros(true, pathMtuTriggerSize);
  }

  #testFragments(): void {
    const { clock, sendZeros } = this.#options;
    this.#fragmentationAnswerByMs = clock.nowMs + fragmentationAnswerMaxMs;
    sendZeros(false, fragmentationTestSize);
  }

  /** The peer took so long to answer a heartbeat. */
  expectAnswerAfter(ms: number): void {
    this.#pathMtu.expectAnswerAfter(ms);
  }

  fragmentationAnswered(): void {
    this.#fragmentationAnswerByMs = never;
    this.#stackFragments = true;
  }

  /** A datagram was sent that is larger than every path is assumed to carry. */
  relied(): void {
    this.#pathMtu.relied(this.#options.clock.nowMs);
  }

  mtuAnswered(mtu: number): void {
    this.#pathMtu.answered(mtu, this.#options.clock.nowMs);
    this.#follow();
  }

  /** The peer can deliver no larger packets than these, whatever arrives there. */
  limit(peerTakes: number): void {
    this.#peerTakes = peerTakes;
    this.#options.changed();
  }

  /** The kernel refused a datagram with DF; maybe learned only after its batch was sent. */
  tooBig(pathMtu: number): void {
    this.#pathMtu.tooBig(pathMtu, this.#options.clock.nowMs);
    this.#follow();
  }

  #follow(): void {
    this.#options.changed();
    for (;;) {
      const mtu = this.#pathMtu.nextProbe();
      if (mtu === undefined) return;
      this.#options.sendZeros(true, mtu + ethernetHeaderSize);
    }
  }

  get deadlineMs(): number {
    return Math.min(this.#testAtMs, this.#fragmentationAnswerByMs, this.#pathMtu.deadlineMs);
  }

  tick(): void {
    const { nowMs } = this.#options.clock;
    if (nowMs >= this.#fragmentationAnswerByMs) {
      this.#fragmentationAnswerByMs = never;
      this.#stackFragments = false;
    }
    if (nowMs >= this.#testAtMs) this.test();
    if (nowMs < this.#pathMtu.deadlineMs) return;
    if (this.#pathMtu.tick(nowMs)) this.#shrunk();
    this.#follow();
  }

  /** Packets of a proven size vanish: so may fragments, which the kernel makes no smaller. */
  #shrunk(): void {
    this.#stackFragments = false;
    this.#testFragments();
  }
}
