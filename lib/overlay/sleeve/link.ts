import { emptyBytes, readUint16, writeUint16 } from "../../base/bytes.ts";
import { formatEndpoint } from "../../base/endpoint.ts";
import { familyOf, formatHostIp, type IpFamily } from "../../base/ip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Log } from "../../base/world.ts";
import { ethernetHeaderSize } from "../../wire/ethernet.ts";
import type { OccasionalLog } from "../occasional-log.ts";
import type { PathMtuPlan } from "../path-mtu-plan.ts";
import { TokenBucket } from "../token-bucket.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { PathLimits } from "./carriage.ts";
import { type LinkCounters, newLinkCounters } from "./counters.ts";
import type { Frame, FrameRoute } from "./datagram.ts";
import type { DatagramOpener, DatagramSealer } from "./datagram-seal.ts";
import { HeartbeatTimes } from "./heartbeat-times.ts";
import type { GenerationSecrets } from "./key-ratchet.ts";
import { type LinkCiphers, type SleeveCipher, sealOf } from "./link-seal.ts";
import { Path } from "./path.ts";
import type { SleeveEvents, SleeveLinkParameters, SleevePorts, UdpEndpoint } from "./ports.ts";
import { Sender } from "./sender.ts";
import {
  fragmentationTestSize,
  heartbeatFrame,
  heartbeatSize,
  mtuTested,
  type SpecialKind,
} from "./special-frame.ts";

/** Whoever knows a link's uid can move its address, but not more often than this. */
export const remoteMoveMinMs = 1_000;

/** How many tests of a peer we answer: a whole search at once, a trickle from then on. */
export const testAnswersBurst = 64;
export const testAnswersPerSecond = 20;

/** Of sleeve's control messages; `renewed` is between peers of our own kind, see overlay.ts. */
export const controlTag = {
  established: 1,
  fragmentationReceived: 2,
  mtuVerified: 3,
  renewed: 4,
} as const;

const zeros = new Uint8Array(fragmentationTestSize);

/** What the links of an engine share. */
export interface LinkContext extends LinkCiphers {
  readonly local: PeerName;
  readonly ports: SleevePorts;
  readonly events: SleeveEvents;
  readonly pool: BufferPool;
  readonly plan: PathMtuPlan;
  readonly log: OccasionalLog;
  /** Largest packet that a kernel datapath takes from us; missing without one. */
  readonly datapathMtu?: number | undefined;
}

function textOf({ ip, port }: UdpEndpoint): string {
  return formatEndpoint({ host: formatHostIp(ip), port });
}

export type LinkState = "prepared" | "confirmed" | "established";

/**
 * One sleeve connection to a neighbour, riding on a TCP connection (sleeve §7).
 *
 *   prepared ──confirm──▶ confirmed ──tag 1──▶ established
 *   passive               heartbeats           slower ones; tests of the path at once and every 5 min
 *
 *                         no heartbeat of the peer for too long: dead
 *
 * Timers are deadlines: nothing happens between calls, and whoever drives the link calls `tick`
 * when `deadlineMs` has come.
 */
export class SleeveLink {
  readonly id: number;
  readonly remote: PeerName;
  /** `undefined` when frames travel in clear. */
  readonly cipher: SleeveCipher | undefined;
  readonly opener: DatagramOpener;
  readonly counters: LinkCounters = newLinkCounters();
  readonly #context: LinkContext;
  /** Of the TCP connection, and of all datagrams. */
  readonly #family: IpFamily;
  readonly #sealer: DatagramSealer;
  readonly #sender: Sender;
  readonly #path: Path;
  readonly #toRemote: FrameRoute;
  readonly #heartbeat: Frame;
  readonly #answers = new TokenBucket({
    burst: testAnswersBurst,
    perSecond: testAnswersPerSecond,
  });
  readonly #beats = new HeartbeatTimes();
  #state: LinkState = "prepared";
  #closed = false;
  /** There was a link to this peer before, or an engine that had this one. */
  readonly #followsAnother: boolean;
  #reportedMtu: number;
  #silenceNoted = false;
  #movedMs = Number.NEGATIVE_INFINITY;

  constructor(id: number, context: LinkContext, parameters: SleeveLinkParameters) {
    const { remote, outbound, heardAt } = parameters;
    this.id = id;
    this.remote = remote;
    this.#context = context;
    this.#family = familyOf(parameters.remoteIp);
    const { cipher, sealer, opener } = sealOf(context, parameters);
    this.cipher = cipher;
    this.opener = opener;
    this.#sealer = sealer;
    this.#toRemote = { source: context.local, destination: remote };
    const bytes = heartbeatFrame(parameters.connectionUid);
    this.#heartbeat = { bytes, at: 0, length: bytes.length };
    this.#sender = this.#newSender(sealer);
    const dialled = { ip: parameters.remoteIp, port: parameters.remotePort };
    this.#sender.to = heardAt ?? (outbound ? dialled : undefined);
    this.#followsAnother = heardAt !== undefined;
    this.#path = this.#newPath(sealer.headSize);
    if (parameters.peerTakes !== undefined) this.#path.limit(parameters.peerTakes);
    this.#reportedMtu = this.#path.mtu;
  }

  #newSender(sealer: DatagramSealer): Sender {
    return new Sender({
      ...this.#context,
      link: this.id,
      sealer,
      counters: this.counters,
      reliedOnPath: () => this.#path.relied(),
      tooBig: (pathMtu) => this.tooBig(pathMtu),
      failed: (text) => this.sendFailed(text),
    });
  }

  #newPath(headSize: number): Path {
    return new Path({
      ...this.#context,
      headSize,
      family: this.#family,
      sendZeros: (df, length) =>
        this.#sender.sendAlone(df, this.#toRemote, { bytes: zeros, at: 0, length }),
      changed: () => this.#pathChanged(),
    });
  }

  get state(): LinkState {
    return this.#state;
  }
  get endpoint(): UdpEndpoint | undefined {
    return this.#sender.to;
  }
  /** When the last heartbeat of the peer came, in monotonic milliseconds. */
  get heardMs(): number | undefined {
    return this.#beats.heardMs;
  }
  get path(): PathLimits & Pick<Path, "searching" | "silent"> {
    return this.#path;
  }
  /** Whether datagrams wait for room in the socket, so that {@link flush} has something to do. */
  get waiting(): boolean {
    return this.#sender.waiting;
  }

  /** Begins a later generation of keys. */
  renew(secrets: GenerationSecrets): void {
    this.#sealer.renew?.(secrets);
    this.opener.renew?.(secrets);
  }

  /** The peer can deliver no larger packets than these. */
  limit(peerTakes: number): void {
    this.#path.limit(peerTakes);
  }

  /** The link has ended: forgets its keys, and sends nothing any more. */
  close(): void {
    this.#sender.to = undefined;
    this.#closed = true;
    this.#sealer.close?.();
    this.opener.close?.();
  }

  confirm(): void {
    if (this.#state !== "prepared") return;
    this.#state = "confirmed";
    this.#beats.confirmed(this.#context.clock.nowMs);
    if (this.#sender.to !== undefined) this.#beat();
  }

  #beat(): void {
    this.#beats.beat(this.#context.clock.nowMs);
    this.#sender.sendAlone(true, this.#toRemote, this.#heartbeat);
  }

  /** A control message of the peer. What does not fit is noted and ignored. */
  control(tag: number, body: Uint8Array): void {
    if (this.#state === "prepared") return;
    if (tag === controlTag.established) this.#acknowledged();
    else if (tag === controlTag.fragmentationReceived) this.#path.fragmentationAnswered();
    else if (tag === controlTag.mtuVerified && body.length >= 2) {
      this.#path.mtuAnswered(readUint16(body, 0));
    } else {
      this.counters.specialIgnored++;
      this.#note("debug", `ignored a control message: tag ${tag}, ${body.length} octets`);
    }
  }

  #acknowledged(): void {
    if (this.#state !== "established") {
      this.#state = "established";
      this.#path.expectAnswerAfter(this.#beats.acknowledged(this.#context.clock.nowMs));
      this.#context.events.established(this.id);
    }
    this.#path.test();
  }

  /** What the path carries and the datapath behind us does not is as good as too big for the path. */
  #isTooBig(kind: SpecialKind, frame: Frame): boolean {
    const { datapathMtu } = this.#context;
    if (datapathMtu === undefined) return false;
    return kind === "fragmentationTest" || mtuTested(frame.length) > datapathMtu;
  }

  /** A special frame that the peer sent to us. */
  special(kind: SpecialKind | "spoilt", frame: Frame, from: UdpEndpoint): void {
    if (kind === "heartbeat") {
      if (this.#isOurs(frame)) this.#heard(from);
      else this.counters.specialIgnored++;
    } else if (kind === "spoilt" || this.#isTooBig(kind, frame)) {
      this.counters.specialIgnored++;
    } else if (!this.#answers.take(this.#context.clock.nowMs)) {
      this.counters.specialIgnored++;
    } else if (kind === "fragmentationTest") {
      this.#controlOut(controlTag.fragmentationReceived, emptyBytes);
    } else {
      const body = new Uint8Array(2);
      writeUint16(body, 0, mtuTested(frame.length));
      this.#controlOut(controlTag.mtuVerified, body);
    }
  }

  /** Whether a heartbeat carries the uid of this connection, not of an earlier one. */
  #isOurs(heartbeat: Frame): boolean {
    for (let i = ethernetHeaderSize; i < heartbeatSize; i++) {
      if (heartbeat.bytes[heartbeat.at + i] !== this.#heartbeat.bytes[i]) return false;
    }
    return true;
  }

  #heard(from: UdpEndpoint): void {
    const first = this.heardMs === undefined;
    this.#beats.heard(this.#context.clock.nowMs);
    this.#follow(from);
    if (!first) return;
    this.#controlOut(controlTag.established, emptyBytes);
    // What we sent before it had this link is lost; it hears us now rather than with the next beat.
    if (this.#state === "confirmed" && this.#followsAnother) this.#beat();
  }

  /** Answers go to where the peer's heartbeats come from. */
  #follow(from: UdpEndpoint): void {
    const to = this.#sender.to;
    const { nowMs } = this.#context.clock;
    if (to?.ip === from.ip && to.port === from.port) return;
    // Nothing can be sent to one family from an address of the other.
    if (familyOf(from.ip) !== this.#family) return;
    if (nowMs - this.#movedMs < remoteMoveMinMs) return;
    this.#movedMs = nowMs;
    this.#sender.to = { ip: from.ip, port: from.port };
    this.#context.events.remoteMoved(this.id, this.#sender.to);
    if (to === undefined) this.#beat();
    else this.#note("info", `moved to ${textOf(from)}`);
  }

  #controlOut(tag: number, body: Uint8Array): void {
    this.#context.events.controlOut(this.id, tag, body);
  }

  /** Adds a frame to the burst, in a datagram with or without DF. */
  queue(df: boolean, route: FrameRoute, frame: Frame): void {
    this.#sender.queue(df, route, frame);
    this.#beats.sent(this.#context.clock.nowMs, this.counters.datagramsIn);
  }

  flush(): void {
    if (!this.#closed) this.#sender.flush();
  }

  /** The kernel refused a datagram with DF; maybe learned only after its batch was sent. */
  tooBig(pathMtu: number): void {
    this.#path.tooBig(pathMtu);
  }

  /** A datagram was lost to a send error. The heartbeat timeout decides whether that matters. */
  sendFailed(text: string): void {
    this.#note("warn", `cannot send: ${text}`);
  }

  #pathChanged(): void {
    const { mtu, datagramMax } = this.#path;
    this.#sender.limit(datagramMax);
    if (mtu === this.#reportedMtu) return;
    this.#reportedMtu = mtu;
    this.#context.events.mtuChanged(this.id, mtu);
  }

  /** When {@link tick} has something to do; infinite when never. */
  get deadlineMs(): number {
    return Math.min(this.#beats.deadlineMs, this.#path.deadlineMs);
  }

  /** Does what is due. False: the peer was not heard for too long, the link is dead. */
  tick(): boolean {
    const { nowMs } = this.#context.clock;
    if (this.#beats.isDead(nowMs)) return false;
    if (this.#beats.isDue(nowMs, this.counters.datagramsIn)) this.#beat();
    this.#path.tick();
    this.#watchSilence();
    return true;
  }

  /** Says once that nothing gets through, until something does. */
  #watchSilence(): void {
    const { silent, searching } = this.#path;
    if (silent && !this.#silenceNoted) {
      this.#note("error", "no test of the path was answered, not even for small packets");
    }
    if (!searching) this.#silenceNoted = silent;
  }

  #note(level: keyof Log, text: string): void {
    const peer = formatPeerName(this.remote);
    this.#context.log.note(level, `${peer} ${level}`, () => `sleeve to ${peer}: ${text}`);
  }
}
