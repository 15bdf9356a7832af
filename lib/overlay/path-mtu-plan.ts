/**
 * What a search for a path's MTU asks about, how often, and what data may use in the meantime
 * (sleeve §8): all that may be chosen about it. The original has a plan of its own, against which the
 * search is tested.
 */
export interface PathMtuPlan {
  /**
   * Whether data uses the kernel's figure before it is proven. On a path that drops large packets
   * silently this loses every large frame until the search ends.
   */
  readonly trustKernel: boolean;
  /** Sizes asked about in one round between the bounds. */
  readonly probesPerRound: number;
  /** Path MTUs often met, asked about together when the kernel's figure stays unanswered. */
  readonly commonPathMtus: readonly number[];
  readonly commonAfterAttempts: number;
  readonly attemptsMax: number;
  /**
   * Attempts granted to a size once the path is known to answer: another size of the round was
   * answered, or this round waited several times as long as an earlier one needed.
   */
  readonly attemptsOnceAnsweredMax: number;
  /**
   * Before its first answer, a peer is asked again after so many times what it took to answer a
   * heartbeat, if that is later: who has many to answer is not helped by being asked more.
   */
  readonly repeatAfterAnswers: number;
  /** How long a proven size is believed without asking again. */
  readonly recheckMs: number;
  /** The same while data is sent that only a proven size lets through. */
  readonly recheckReliedMs: number;
  /** The same when no size at all was answered. */
  readonly recheckSilentMs: number;
  /** The same when some size had been answered before. */
  readonly recheckFallenSilentMs: number;
}

/**
 * What we do: data starts at what is certain and grows with every answer, so that nothing is lost
 * to a size that was only assumed. A path that shrinks without a word is noticed before a stream
 * takes it for broken: under load that costs a datagram and an answer a second. A link at rest is
 * asked now and then, and at once by the first data that relies on what was proven long ago.
 */
export const prudentPlan: PathMtuPlan = {
  trustKernel: false,
  probesPerRound: 7,
  // Jumbo frames (two clouds, plain, under VXLAN), Ethernet, PPPoE, 6in4, GRE, a cloud, VXLAN,
  // WireGuard, mobile networks, the IPv6 minimum, X.25, SLIP.
  commonPathMtus: [
    9001, 9000, 8950, 1500, 1492, 1480, 1476, 1460, 1450, 1420, 1400, 1280, 576, 296,
  ],
  commonAfterAttempts: 3,
  attemptsMax: 8,
  attemptsOnceAnsweredMax: 5,
  repeatAfterAnswers: 2,
  recheckMs: 4 * 60_000,
  recheckReliedMs: 1_000,
  recheckSilentMs: 30_000,
  recheckFallenSilentMs: 5_000,
};
