import { type Random, randomUnit, seededRandom } from "../../lib/base/random.ts";
import { fragment } from "../../lib/overlay/sleeve/fragment.ts";
import { fragmentationNeeded, icmpReplyMax } from "../../lib/overlay/sleeve/icmp-reply.ts";
import { ethernetHeaderSize, ethernetTypeAt, etherType } from "../../lib/wire/ethernet.ts";
import { ipv4DontFragment, ipv4Flags, isIpv4 } from "../../lib/wire/ipv4.ts";

/** How bad a link is, the same in both directions. A missing word means: not at all. */
export interface Impairments {
  /** Share of frames that vanish, 0 to 1. */
  readonly loss?: number;
  /** Share of frames that come twice. */
  readonly duplication?: number;
  readonly delayMs?: number;
  /** Added to the delay of each frame by itself, from 0 up to this: so frames overtake each other. */
  readonly jitterMs?: number;
  /** IPv4 packets above this are divided by the link, or refused when they have DF. */
  readonly mtu?: number;
  /** Whether the sender of a refused packet is told. Default true. */
  readonly tells?: boolean;
  /** IPv4 packets above this vanish, whatever their DF. */
  readonly holeAbove?: number;
}

/** Frames on their way in one direction; more are lost, as in any queue. */
export const queueMaxFrames = 20_000;

interface Travelling {
  readonly dueMs: number;
  readonly frame: Uint8Array;
}

/**
 * One direction of a bad link, without sockets and clocks: what is offered comes out when it is due.
 *
 *   offer ─▶ hole? ─▶ too big? divided ─▶ lost? ─▶ twice? ─▶ queue by due time ─▶ deliver
 *                       └─ refused: an ICMP error goes back
 */
export class Impairment {
  impairments: Impairments = {};
  readonly #random: Random;
  readonly #back: (frame: Uint8Array) => void;
  /** By due time; what is due at the same time in the order of its coming. */
  readonly #queue: Travelling[] = [];
  readonly #scratch = new Uint8Array(65_536);

  /** `back` takes what the link itself has to say to the sender. */
  constructor(seed: number, back: (frame: Uint8Array) => void) {
    this.#random = seededRandom(seed);
    this.#back = back;
  }

  /** A frame enters the link; its octets may be used again afterwards. */
  offer(frame: Uint8Array, nowMs: number): void {
    const { mtu = Number.POSITIVE_INFINITY, holeAbove = mtu + 65_536 } = this.impairments;
    const packet = frame.length - ethernetHeaderSize;
    if (!isIpv4Frame(frame)) this.#enter(frame, nowMs);
    else if (packet > holeAbove) return;
    else if (packet <= mtu) this.#enter(frame, nowMs);
    else if ((ipv4Flags(frame, ethernetHeaderSize) & ipv4DontFragment) !== 0) this.#refuse(frame);
    else {
      fragment(whole(frame), mtu, this.#scratch, ({ bytes, at, length }) =>
        this.#enter(bytes.subarray(at, at + length), nowMs),
      );
    }
  }

  #refuse(frame: Uint8Array): void {
    const { tells = true, mtu = 0 } = this.impairments;
    if (!tells) return;
    const reply = new Uint8Array(icmpReplyMax);
    this.#back(reply.subarray(0, fragmentationNeeded(whole(frame), mtu, reply)));
  }

  #enter(frame: Uint8Array, nowMs: number): void {
    const { loss = 0, duplication = 0 } = this.impairments;
    if (this.#happens(loss)) return;
    this.#travel(frame, nowMs);
    if (this.#happens(duplication)) this.#travel(frame, nowMs);
  }

  #happens(share: number): boolean {
    return share > 0 && randomUnit(this.#random) < share;
  }

  #travel(frame: Uint8Array, nowMs: number): void {
    if (this.#queue.length >= queueMaxFrames) return;
    const { delayMs = 0, jitterMs = 0 } = this.impairments;
    const ownMs = jitterMs > 0 ? jitterMs * randomUnit(this.#random) : 0;
    const travelling = { dueMs: nowMs + delayMs + ownMs, frame: frame.slice() };
    let place = this.#queue.length;
    while (place > 0 && this.#queue[place - 1]!.dueMs > travelling.dueMs) place--;
    if (place === this.#queue.length) this.#queue.push(travelling);
    else this.#queue.splice(place, 0, travelling);
  }

  /** Hands out what is due. */
  deliver(nowMs: number, take: (frame: Uint8Array) => void): void {
    let due = 0;
    while (due < this.#queue.length && this.#queue[due]!.dueMs <= nowMs)
      take(this.#queue[due++]!.frame);
    if (due > 0) this.#queue.splice(0, due);
  }

  /** When the next frame is due; infinite when none is on its way. */
  get nextMs(): number {
    return this.#queue[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }
}

function isIpv4Frame(frame: Uint8Array): boolean {
  const type = (frame[ethernetTypeAt]! << 8) | frame[ethernetTypeAt + 1]!;
  return (
    type === etherType.ipv4 && isIpv4(frame, ethernetHeaderSize, frame.length - ethernetHeaderSize)
  );
}

function whole(bytes: Uint8Array) {
  return { bytes, at: 0, length: bytes.length };
}
