import type { Endpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import {
  type ByteStream,
  type ByteStreamHandlers,
  remoteSilent,
  silenceMaxMs,
} from "../mesh/transport.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What the kernel of a host takes from a writer before the other side has read it. */
const kernelBufferBytes = 64 << 10;

/** What a stream asks of the network that it crosses. */
export interface Wires {
  readonly clock: VirtualClock;
  /** How long a segment takes now, without the time for its octets; drawn anew at each call. */
  delayMs(from: string, to: string): number;
  /** The least that {@link delayMs} answers. */
  delayMinMs(from: string, to: string): number;
  /** Octets per millisecond that get through; infinite for no limit. */
  bytesPerMs(from: string, to: string): number;
  isCut(from: string, to: string): boolean;
  carried(bytes: number): void;
  underWay(ip: string, segments: number): void;
  opened(stream: MemoryStream): void;
  gone(stream: MemoryStream): void;
}

/**
 * One end of a TCP connection in memory.
 *
 *   open ──end──▶ ending ──all sent──▶ closed
 *     └──reset, reset by the other end──▶ closed
 */
export class MemoryStream implements ByteStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #network: Wires;
  #peer!: MemoryStream;
  #handlers: ByteStreamHandlers | undefined;
  #state: "open" | "ending" | "closed" = "open";
  /** Written and not taken by the kernel. */
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  /** Taken by the kernel and not known to have arrived. */
  #inFlightBytes = 0;
  /** Sent and not delivered, in order: whichever segment arrives, the first one is delivered. */
  #undelivered: Array<() => void> = [];
  /** How many of them met a cut link and wait for it to heal. */
  #stuck = 0;
  /** Delivered, while the way back is cut for the acknowledgement. */
  #unheardBytes = 0;
  /** When the last segment arrives: later ones never overtake it. */
  #lastArrivalMs = 0;

  /** Both ends of a new connection: the dialler's and the acceptor's. */
  static pair(network: Wires, from: Endpoint, to: Endpoint): [MemoryStream, MemoryStream] {
    const near = new MemoryStream(network, from, to);
    const far = new MemoryStream(network, to, from);
    near.#peer = far;
    far.#peer = near;
    network.opened(near);
    network.opened(far);
    return [near, far];
  }

  private constructor(network: Wires, local: Endpoint, remote: Endpoint) {
    this.#network = network;
    this.local = local;
    this.remote = remote;
  }

  /** Whether octets wait for those before them to arrive. */
  get hasMore(): boolean {
    return this.#backlogBytes > 0;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** When all that is under way will have arrived, if nothing is cut; milliseconds from now. */
  get arrivedInMs(): number {
    return Math.max(0, this.#lastArrivalMs - this.#network.clock.nowMs);
  }

  listen(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    this.#network.carried(bytes.length);
    this.#backlog.push(bytes.slice());
    this.#backlogBytes += bytes.length;
    this.#pump();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#finishWhenSent();
  }

  reset(): void {
    if (this.#state === "closed") return;
    this.#send(0, () => this.#peer.fail("ECONNRESET"));
    this.#close(undefined);
  }

  /** Gone without a word: the machine lost power, and the other one notices after a while. */
  vanish(): void {
    const peer = this.#peer;
    this.#network.clock.after(silenceMaxMs, () => peer.giveUp());
    this.#state = "closed";
    this.#handlers = undefined;
    this.#lose();
    this.#network.gone(this);
  }

  /** The connection breaks; the owner hears of it. */
  fail(code: string): void {
    if (this.#state !== "closed") this.#close(new WeaveError("STREAM_FAILED", `read tcp: ${code}`));
  }

  /** The other machine has been silent for too long. */
  giveUp(): void {
    if (this.#state !== "closed") this.#close(remoteSilent());
  }

  /** The link was healed: what waited for it goes on its way. */
  resume(): void {
    if (this.#unheardBytes > 0 && !this.#network.isCut(this.remote.host, this.local.host)) {
      const heard = this.#unheardBytes;
      this.#unheardBytes = 0;
      this.#acknowledged(heard);
    }
    if (this.#network.isCut(this.local.host, this.remote.host)) return;
    for (; this.#stuck > 0; this.#stuck--) this.#travel(0);
  }

  /** Moves from the backlog into the kernel as far as it takes. */
  #pump(): void {
    while (this.#backlog.length > 0 && this.#inFlightBytes < kernelBufferBytes) {
      const first = this.#backlog[0]!;
      const room = kernelBufferBytes - this.#inFlightBytes;
      const segment = first.subarray(0, room);
      if (segment.length === first.length) this.#backlog.shift();
      else this.#backlog[0] = first.subarray(room);
      this.#backlogBytes -= segment.length;
      this.#inFlightBytes += segment.length;
      this.#send(segment.length, () => this.#deliver(segment));
    }
  }

  #send(size: number, deliver: () => void): void {
    this.#undelivered.push(deliver);
    this.#network.underWay(this.local.host, 1);
    this.#travel(size);
  }

  /** One segment goes on its way, never to arrive before one that is on its way already. */
  #travel(size: number): void {
    const network = this.#network;
    const { clock } = network;
    const [from, to] = [this.local.host, this.remote.host];
    const startMs = Math.max(clock.nowMs, this.#lastArrivalMs - network.delayMinMs(from, to));
    const transferMs = size / network.bytesPerMs(from, to);
    const arrivalMs = Math.max(
      startMs + transferMs + network.delayMs(from, to),
      this.#lastArrivalMs,
    );
    this.#lastArrivalMs = arrivalMs;
    clock.after(arrivalMs - clock.nowMs, () => {
      // Behind a segment that is stuck, all are.
      if (this.#stuck > 0 || network.isCut(from, to)) this.#stick();
      else this.#arrive();
    });
  }

  #arrive(): void {
    const deliver = this.#undelivered.shift();
    if (deliver === undefined) return;
    this.#network.underWay(this.local.host, -1);
    deliver();
  }

  /** Nobody repeats what an end that is closed has sent. */
  #stick(): void {
    this.#stuck++;
    if (this.#state === "closed") this.#lose();
  }

  #lose(): void {
    this.#network.underWay(this.local.host, -this.#undelivered.length);
    this.#undelivered = [];
    this.#stuck = 0;
  }

  #deliver(segment: Uint8Array): void {
    const receiver = this.#peer;
    if (receiver.#state === "closed") {
      this.fail("ECONNRESET");
      return;
    }
    if (receiver.#state === "open") receiver.#handlers?.data(segment);
    if (this.#network.isCut(this.remote.host, this.local.host)) {
      this.#unheardBytes += segment.length;
    } else {
      this.#acknowledged(segment.length);
    }
  }

  #acknowledged(count: number): void {
    if (this.#state === "closed") return;
    const hadBacklog = this.#backlogBytes > 0;
    this.#inFlightBytes -= count;
    this.#pump();
    if (this.#state === "ending") this.#finishWhenSent();
    else if (hadBacklog && this.#backlogBytes === 0) this.#handlers?.drained?.();
  }

  #finishWhenSent(): void {
    if (this.#backlogBytes > 0 || this.#inFlightBytes > 0) return;
    this.#send(0, () => {
      if (this.#peer.#state !== "closed") this.#peer.#close(undefined);
    });
    this.#close(undefined);
  }

  #close(error: WeaveError | undefined): void {
    this.#state = "closed";
    if (this.#stuck > 0) this.#lose();
    this.#network.gone(this);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#network.clock.after(0, () => handlers?.closed(error));
  }
}
