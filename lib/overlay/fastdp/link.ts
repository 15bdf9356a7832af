import { msToBeat } from "../../base/beat.ts";
import { emptyBytes, readUint16, writeUint16 } from "../../base/bytes.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { EngineLinkEvents } from "../engine.ts";
import { TokenBucket } from "../token-bucket.ts";
import { DiscoveredMtu } from "./discovered-mtu.ts";
import {
  answeringRules,
  Hearing,
  type HearingRules,
  lifeBeatMs,
  lifeBeats,
  originalRules,
  ownKindRules,
  showingRules,
} from "./hearing.ts";
import {
  asksForAnswer,
  briefHeartbeatLength,
  fullHeartbeatLength,
  isFullHeartbeat,
  isHeartbeatOf,
  mtuOfHeartbeat,
  writeHeartbeat,
} from "./heartbeat.ts";
import { CompatibleMtu, FixedMtu, type LinkMtu } from "./link-mtu.ts";
import type { NeighbourTraffic } from "./ports.ts";
import { TrafficWatch } from "./traffic-watch.ts";

/**
 * The life of one connection on the fast datapath (fastdp §2.7).
 *
 *   prepared ──confirm──▶ probing ──control message 0──▶ established
 *                            │ a heartbeat every ½ s        │ every 10 s; to our own kind every 1 s
 *                            └──────────── stop ────────────┴──▶ stopped
 *
 * In every state it hears (see {@link Hearing}) or does not, and then it is on hold: frames take
 * another overlay. Heartbeats go on for ever. The original can only say that it heard the first one;
 * peers of our own kind also say when they stop hearing us (docs/protocol.md), for a path may be
 * broken in one direction, and that they live, for a router that hangs is no broken path.
 */
export const fastdpTag = {
  acknowledged: 0,
  initialiseSa: 1,
  heard: 2,
  mtuHeard: 3,
  life: 4,
} as const;

const life = { asked: Uint8Array.of(0), said: Uint8Array.of(1) } as const;

const probingMs = 500;
const restingMs = 10_000;
/** To a peer of our own kind; also as long as a path that was lost may come back any moment. */
const liveMs = 1_000;
const hopefulMs = 60_000;
/** How often one of the heartbeats to our own kind is a full one. */
const fullMs = 5_000;

/** The datapath's clock goes in steps of so much. */
const clockStepMs = 10;

/** How many questions about sizes we answer: a whole search at once, a trickle from then on. */
const answersLimit = { burst: 128, perSecond: 20 };

export interface FastdpLinkOptions {
  readonly world: Pick<World, "after" | "monotonicMs">;
  readonly connectionUid: bigint;
  /** Of our containers. */
  readonly mtu: number;
  /** Whether to find out what the path carries, and to use it for no larger packets. */
  readonly discoversMtu: boolean;
  /** Whether the peer is of our own kind, and says when it does not hear us. */
  readonly ownKind: boolean;
  /** Whether both ends say that they live when they are asked. */
  readonly saysLife: boolean;
  /** Whether both ends then also send heartbeats at once. */
  readonly showsLife: boolean;
  /** Whether both ends answer heartbeats that ask. */
  readonly answersMtu: boolean;
  readonly encrypted: boolean;
  readonly events: Pick<
    EngineLinkEvents,
    "send" | "established" | "health" | "peerTakes" | "pathCarries"
  >;
  /** Sends a frame to the peer through the datapath. */
  transmit(frame: Uint8Array): void;
  /** What the datapath has had of the peer; `undefined` where nobody knows. */
  traffic(): NeighbourTraffic | undefined;
  /** {@link FastdpLink.mtu} is another one now. */
  mtuChanged(): void;
}

export class FastdpLink {
  readonly #options: FastdpLinkOptions;
  readonly #mtu: LinkMtu;
  readonly #brief: Uint8Array;
  readonly #answers = new TokenBucket(answersLimit);
  readonly #traffic: TrafficWatch;
  #full: Uint8Array;
  #hearing: Hearing;
  #acknowledged = false;
  /** Whether the peer hears us, as far as it says. */
  #peerHears = true;
  #reportedHealthy = true;
  /** What the peer believes of {@link Hearing.hears}. */
  #toldHears = true;
  #fullSentMs = Number.NEGATIVE_INFINITY;
  /** Of those that show a peer who asked that we live. */
  #lifeBeatsLeft = 0;
  #cancelLife: Cancel = () => {};
  #cancelBeat: Cancel = () => {};
  #cancelCheck: Cancel = () => {};

  constructor(options: FastdpLinkOptions) {
    const { connectionUid, world } = options;
    this.#options = options;
    this.#mtu = this.#newMtu();
    this.#full = writeHeartbeat(connectionUid, fullHeartbeatLength(this.#mtu.heartbeat));
    this.#brief = writeHeartbeat(connectionUid, briefHeartbeatLength);
    this.#hearing = this.#newHearing(world.monotonicMs());
    this.#traffic = new TrafficWatch({
      world,
      activity: () => options.traffic()?.activity,
      fellSilent: () => {
        if (this.#hearing.suspect(this.#nowMs())) this.#watch();
      },
    });
  }

  #newMtu(): LinkMtu {
    const { world, mtu, discoversMtu, answersMtu, encrypted, connectionUid } = this.#options;
    const changed = (): void => this.#mtuChanged();
    if (!discoversMtu) return new FixedMtu(mtu);
    if (!answersMtu) return new CompatibleMtu(mtu, changed);
    const ask = (asked: number): void =>
      this.#options.transmit(writeHeartbeat(connectionUid, fullHeartbeatLength(asked), true));
    const narrow = (pathMtu: number): void => this.#options.events.pathCarries(pathMtu);
    return new DiscoveredMtu({ world, own: mtu, encrypted, ask, changed, narrow });
  }

  #mtuChanged(): void {
    const { connectionUid, mtuChanged } = this.#options;
    this.#full = writeHeartbeat(connectionUid, fullHeartbeatLength(this.#mtu.heartbeat));
    this.#tellPeerTakes();
    mtuChanged();
  }

  #newHearing(nowMs: number): Hearing {
    const ask = (): void => this.#options.events.send(fastdpTag.life, life.asked);
    return new Hearing(this.#rules(), nowMs, ask);
  }

  #rules(): HearingRules {
    const { ownKind, saysLife, showsLife } = this.#options;
    if (!ownKind) return originalRules;
    if (showsLife) return showingRules;
    return saysLife ? answeringRules : ownKindRules;
  }

  confirm(): void {
    this.#hearing = this.#newHearing(this.#nowMs());
    this.#tellPeerTakes();
    this.#beat();
    this.#watch();
    if (this.#options.showsLife) this.#traffic.start();
  }

  stop(): void {
    this.#traffic.stop();
    this.#cancelBeat();
    this.#cancelLife();
    this.#cancelCheck();
    this.#mtu.stop();
  }

  /** What packets may have that take the tunnel. */
  get mtu(): Pick<LinkMtu, "limit" | "isFound"> {
    return this.#mtu;
  }

  #tellPeerTakes(): void {
    const { peerTakes } = this.#mtu;
    if (peerTakes !== undefined) this.#options.events.peerTakes(peerTakes);
  }

  /** A heartbeat from the wire. False: it is none of this connection. */
  heard(frame: Uint8Array, length: number): boolean {
    const { connectionUid, events } = this.#options;
    if (!isHeartbeatOf(connectionUid, frame, length)) return false;
    const isFull = isFullHeartbeat(length);
    const isFirst = !this.#hearing.began;
    const wasLive = this.#intervalMs() < restingMs;
    const { asks } = this.#hearing;
    this.#hearing.heard(this.#nowMs(), isFull);
    if (isFirst) {
      events.send(fastdpTag.acknowledged, emptyBytes);
      this.#watch();
    } else if (asks) this.#watch();
    if (isFull) this.#measured(frame, mtuOfHeartbeat(length));
    // A sign of life on a path that was given up: find out quickly whether it works again.
    if (!wasLive && this.#intervalMs() < restingMs) this.#beat();
    this.#judge();
    return true;
  }

  /** What our containers do not take is as good as too big for the path. */
  #measured(frame: Uint8Array, mtu: number): void {
    this.#mtu.heard(mtu);
    const { answersMtu, mtu: own, events } = this.#options;
    if (!answersMtu || !asksForAnswer(frame) || mtu > own) return;
    if (!this.#answers.take(this.#nowMs())) return;
    const body = new Uint8Array(2);
    writeUint16(body, 0, mtu);
    events.send(fastdpTag.mtuHeard, body);
  }

  control(tag: number, body: Uint8Array): void {
    if (tag === fastdpTag.acknowledged) this.#acknowledge();
    else if (tag === fastdpTag.mtuHeard && this.#options.answersMtu && body.length >= 2) {
      this.#mtu.answered(readUint16(body, 0));
    } else if (tag === fastdpTag.life && this.#options.saysLife && body.length > 0) {
      this.#life(body[0]!);
    } else if (tag === fastdpTag.heard && this.#options.ownKind && body.length > 0) {
      this.#peerHears = body[0] !== 0;
      this.#judge();
    }
  }

  #life(what: number): void {
    if (what === life.asked[0]) {
      this.#options.events.send(fastdpTag.life, life.said);
      if (this.#options.showsLife && this.#lifeBeatsLeft === 0) this.#showLife(lifeBeats);
    } else {
      this.#hearing.answered(this.#nowMs());
      this.#watch();
    }
  }

  #showLife(beats: number): void {
    this.#lifeBeatsLeft = beats - 1;
    this.#options.transmit(this.#brief);
    if (beats === 1) return;
    this.#cancelLife = this.#options.world.after(lifeBeatMs, () => this.#showLife(beats - 1));
  }

  #acknowledge(): void {
    if (this.#acknowledged) return;
    this.#acknowledged = true;
    this.#arm();
    this.#mtu.works(this.#reportedHealthy);
    this.#options.events.established();
  }

  /** Why frames should not take this link; `undefined` when they may. */
  get trouble(): string | undefined {
    if (!this.#hearing.began) {
      return this.#acknowledged ? "no heartbeat of the peer arrives" : "no heartbeat gets through";
    }
    if (!this.#acknowledged) return "the peer does not acknowledge our heartbeats";
    if (!this.#hearing.hears) return "heartbeats of the peer do not arrive any more";
    if (this.#hearing.asks) return "the peer's router does not answer, its kernel may carry frames";
    return this.#peerHears ? undefined : "the peer does not get our heartbeats any more";
  }

  // Speaking ---------------------------------------------------------------------------------------

  #beat(): void {
    const nowMs = this.#nowMs();
    const briefly =
      this.#options.ownKind &&
      this.#acknowledged &&
      this.#reportedHealthy &&
      nowMs - this.#fullSentMs < fullMs - liveMs / 2;
    if (!briefly) this.#fullSentMs = nowMs;
    this.#options.transmit(briefly ? this.#brief : this.#full);
    this.#arm();
  }

  #arm(): void {
    this.#cancelBeat();
    const { world } = this.#options;
    const delayMs = msToBeat(world.monotonicMs(), this.#intervalMs());
    this.#cancelBeat = world.after(delayMs, () => this.#beat());
  }

  #intervalMs(): number {
    const { hears, lastHeardMs, lostAtMs } = this.#hearing;
    if (!this.#acknowledged) return hears ? probingMs : restingMs;
    if (!this.#options.ownKind) return restingMs;
    if (this.#reportedHealthy) return liveMs;
    const nowMs = this.#nowMs();
    const isHopeful =
      nowMs - lastHeardMs < restingMs + liveMs || nowMs - (lostAtMs ?? 0) < hopefulMs;
    return isHopeful ? liveMs : restingMs;
  }

  // Listening --------------------------------------------------------------------------------------

  /** Looks again when nothing that is heard until then can make a difference. */
  #watch(): void {
    this.#cancelCheck();
    const { deadlineMs } = this.#hearing;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#nowMs();
    this.#cancelCheck = this.#options.world.after(Math.max(0, deadlineMs - nowMs), () => {
      if (!this.#hearsMore()) this.#hearing.check(this.#nowMs());
      this.#judge();
      this.#watch();
    });
  }

  /** Whether something came since the peer was asked, of which we only have not heard yet. */
  #hearsMore(): boolean {
    const { askedMs } = this.#hearing;
    const silenceMs = this.#options.traffic()?.silenceMs;
    const nowMs = this.#nowMs();
    if (askedMs === undefined || silenceMs === undefined) return false;
    if (silenceMs >= nowMs - askedMs - clockStepMs) return false;
    this.#hearing.heard(nowMs, false);
    return true;
  }

  #judge(): void {
    const { ownKind, events } = this.#options;
    const { hears } = this.#hearing;
    if (hears !== this.#toldHears) {
      this.#toldHears = hears;
      if (hears) this.#watch();
      if (ownKind) events.send(fastdpTag.heard, Uint8Array.of(hears ? 1 : 0));
    }
    const healthy = hears && this.#peerHears;
    if (healthy === this.#reportedHealthy) return;
    this.#reportedHealthy = healthy;
    this.#mtu.works(healthy && this.#acknowledged);
    events.health(healthy);
  }

  #nowMs(): number {
    return this.#options.world.monotonicMs();
  }
}
