import type { Channel, GossipData, Gossiper } from "../base/gossip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import { Audience } from "./audience.ts";
import { decodeLinks, encodeInterest, encodeSummary, type Interest } from "./link-codec.ts";
import { type LinkView, mostUsed } from "./link-view.ts";
import { ToldLinks, type ToldSummary } from "./told-links.ts";

/** On which peers of our kind tell each other of links; whoever has no part in it passes it on. */
export const linksChannel = "weave-links";

/** Who looks wants to hear for so long, … */
export const interestMs = 45_000;

/** … and says so again when somebody still looks after so long. */
export const renewalMs = 20_000;

/** For so long the answers to one question are waited for. */
export const answersMaxMs = 1000;

/** Several that look once within this time share the answers to one question. */
const sharedMs = 500;

export interface SharedLinksOptions {
  /** The links of this peer as they are. */
  own(): readonly LinkView[];
  /** How many peers are known, this one included. */
  peers(): number;
  isKnownPeer(peer: PeerName): boolean;
  /** Others to which a way leads and that may be of our kind. */
  tellers(): readonly PeerName[];
}

/** Somebody who looks once, and whom it is still to hear. */
interface Wait {
  readonly missing: Set<PeerName>;
  readonly end: () => void;
}

/**
 * What peers tell each other of their links, while somebody looks at some of them:
 *
 *   look ──▶ interest ── broadcast ──▶ Audience of each peer
 *                                          │ at once, then every period
 *   told ◀── ToldLinks ◀─── unicast ── summary of its links
 *
 * While nobody looks nothing is said.
 */
export class SharedLinks implements Gossiper {
  readonly #world: Pick<World, "now" | "monotonicMs" | "after" | "random">;
  readonly #options: SharedLinksOptions;
  readonly #audience: Audience;
  readonly #told: ToldLinks;
  #channel: Channel | undefined;
  /** Monotonic: when others were last asked for what they tell by themselves, and until when. */
  #interest = { sinceMs: Number.NEGATIVE_INFINITY, untilMs: Number.NEGATIVE_INFINITY };
  /** Monotonic: when others were last asked to tell at once. */
  #questionMs = Number.NEGATIVE_INFINITY;
  /** Did not answer in time when they were last waited for: they are not waited for again. */
  readonly #silent = new Set<PeerName>();
  readonly #waits = new Set<Wait>();

  constructor(
    world: Pick<World, "now" | "monotonicMs" | "after" | "random">,
    options: SharedLinksOptions,
  ) {
    this.#world = world;
    this.#options = options;
    this.#audience = new Audience(world, options.peers, (due) => this.#tell(due));
    this.#told = new ToldLinks(world, options.peers);
  }

  /** Until a channel is set this peer asks nobody, and tells nobody. */
  setChannel(channel: Channel): void {
    this.#channel = channel;
  }

  /** Stops telling. What was told stays readable; nobody waits any more. */
  stop(): void {
    this.#channel = undefined;
    this.#audience.stop();
    for (const { end } of this.#waits) end();
  }

  /** What others have told of their links, the latest of each. */
  told(): readonly ToldSummary[] {
    return this.#told.all();
  }

  /** Somebody looks, and may go on looking: others are to tell of their links for a while. */
  look(): void {
    const nowMs = this.#world.monotonicMs();
    if (nowMs - this.#interest.sinceMs < renewalMs) return;
    const isNow = nowMs >= this.#interest.untilMs;
    this.#interest = { sinceMs: nowMs, untilMs: nowMs + interestMs };
    this.#ask({ isNow, forMs: interestMs });
  }

  /**
   * Somebody looks once. Resolves when all have told that are expected to, at most
   * {@link answersMaxMs} later.
   */
  lookOnce(): Promise<void> {
    const nowMs = this.#world.monotonicMs();
    const isTold = nowMs < this.#interest.untilMs || nowMs - this.#questionMs < sharedMs;
    if (!isTold) this.#ask({ isNow: true, forMs: 0 });
    const missing = new Set(this.#missing());
    if (missing.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#world.after(answersMaxMs, () => {
        for (const peer of missing) this.#silent.add(peer);
        wait.end();
      });
      const wait: Wait = {
        missing,
        end: () => {
          cancel();
          this.#waits.delete(wait);
          resolve();
        },
      };
      this.#waits.add(wait);
    });
  }

  /** A peer that comes while somebody looks has not heard of it. */
  peerAppeared(peer: PeerName): void {
    const forMs = this.#interest.untilMs - this.#world.monotonicMs();
    if (forMs > 0) this.#channel?.unicast(peer, this.#encode({ isNow: true, forMs }));
  }

  peerGone(peer: PeerName): void {
    this.#audience.gone(peer);
    this.#told.forget(peer);
    this.#awaitNoMore(peer);
  }

  /** @throws GobError, WeaveError `LINKS_IMPLAUSIBLE`, `PEER_NAME_RANGE` */
  onUnicast(from: PeerName, payload: Uint8Array): void {
    const { interest, summary } = decodeLinks(payload);
    if (!this.#options.isKnownPeer(from)) return;
    if (interest !== undefined) this.#audience.asked(from, interest);
    if (summary === undefined || !this.#isAsking()) return;
    this.#told.take(from, summary);
    this.#awaitNoMore(from);
  }

  /** @throws GobError, WeaveError `LINKS_IMPLAUSIBLE`, `PEER_NAME_RANGE` */
  onBroadcast(origin: PeerName, payload: Uint8Array): GossipData {
    const { interest } = decodeLinks(payload);
    if (interest !== undefined && this.#options.isKnownPeer(origin)) {
      this.#audience.asked(origin, interest);
    }
    return new Question(payload);
  }

  /** The channel has no gossip; whatever comes is ignored. */
  onGossip(): undefined {}

  full(): undefined {}

  /** Whether what others tell is wanted, or was a moment ago. */
  #isAsking(): boolean {
    const nowMs = this.#world.monotonicMs();
    const wantedMs = Math.max(this.#interest.untilMs, this.#questionMs);
    return nowMs < wantedMs + 10 * answersMaxMs;
  }

  #ask(interest: Interest): void {
    if (interest.isNow) this.#questionMs = this.#world.monotonicMs();
    this.#channel?.broadcast(new Question(this.#encode(interest)));
  }

  #encode(interest: Interest): Uint8Array {
    return encodeInterest(interest, this.#world.monotonicMs());
  }

  /** Who is expected to tell, and has not since it was asked. */
  #missing(): PeerName[] {
    if (this.#channel === undefined) return [];
    return this.#options
      .tellers()
      .filter((peer) => !this.#silent.has(peer) && !this.#told.hasTold(peer, this.#questionMs));
  }

  #awaitNoMore(peer: PeerName): void {
    this.#silent.delete(peer);
    for (const { missing, end } of this.#waits) {
      missing.delete(peer);
      if (missing.size === 0) end();
    }
  }

  #tell(due: readonly PeerName[]): ReadonlySet<PeerName> {
    const links = mostUsed(this.#options.own());
    const payload = encodeSummary({ countedMs: this.#world.monotonicMs(), links });
    return new Set(due.filter((peer) => this.#channel?.unicast(peer, payload) !== true));
  }
}

/** Is passed on as it came, with what a later version says in it. */
class Question implements GossipData {
  readonly #payload: Uint8Array;

  constructor(payload: Uint8Array) {
    this.#payload = payload;
  }

  encode(): Uint8Array[] {
    return [this.#payload];
  }

  /** Who has not heard the first is told at once when it hears the second. */
  merge(newer: GossipData): GossipData {
    return newer;
  }
}
