import { type PeerName, writePeerName } from "../../base/peer-name.ts";
import { assumedMtu } from "../path-mtu.ts";
import { Aggregator } from "./aggregator.ts";
import { Backlog } from "./backlog.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { LinkCounters } from "./counters.ts";
import {
  datagramMax,
  datagramMaxOfMtu,
  type Frame,
  type FrameRoute,
  recordHeaderSize,
  writeRecord,
} from "./datagram.ts";
import type { DatagramSealer } from "./datagram-seal.ts";
import type { SleevePorts, UdpEndpoint } from "./ports.ts";

/**
 * The way out of one link: frames are packed, sealed and sent.
 *
 *   queue ──▶ aggregator with DF ────┐
 *         ──▶ aggregator without ────┼──▶ seal ──▶ port ──busy──▶ backlog, tried again at flush
 *   sendAlone (heartbeats, tests) ───┘
 */
export interface SenderOptions {
  readonly link: number;
  readonly local: PeerName;
  readonly sealer: DatagramSealer;
  readonly ports: SleevePorts;
  readonly pool: BufferPool;
  readonly counters: LinkCounters;
  /** Data goes out in a datagram larger than every path is assumed to carry. */
  readonly reliedOnPath: () => void;
  /** The kernel refused a datagram. */
  readonly tooBig: (pathMtu: number) => void;
  readonly failed: (text: string) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #df: Aggregator;
  readonly #whole: Aggregator;
  readonly #backlog = new Backlog();
  /** Where the peer is; while unknown nothing is sent. */
  to: UdpEndpoint | undefined = undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { local: sender, pool, sealer } = options;
    const assumed = datagramMaxOfMtu(assumedMtu, sealer.headSize);
    const aggregator = (df: boolean): Aggregator =>
      new Aggregator({
        sender,
        headSize: sealer.headSize,
        pool,
        emit: (datagram, length) => {
          if (length > assumed) options.reliedOnPath();
          this.#dispatch(df, datagram, length);
        },
      });
    this.#df = aggregator(true);
    this.#whole = aggregator(false);
  }

  /** The largest datagram that may be sent with DF. */
  limit(dfMax: number): void {
    this.#df.limit({ firstMax: dfMax, joinMax: dfMax });
    this.#whole.limit({ firstMax: datagramMax, joinMax: dfMax });
  }

  /** Adds a frame to the burst. */
  queue(df: boolean, route: FrameRoute, frame: Frame): void {
    const { counters } = this.#options;
    if (this.to === undefined) {
      counters.dropNoAddress++;
    } else if ((df ? this.#df : this.#whole).append(route, frame)) {
      counters.framesOut++;
      counters.frameOctetsOut += frame.length;
    } else {
      counters.dropOversized++;
    }
  }

  /** Sends a frame at once, in a datagram of its own and without regard to the path MTU. */
  sendAlone(df: boolean, route: FrameRoute, frame: Frame): void {
    if (this.to === undefined) return;
    const { local, sealer, pool } = this.#options;
    const length = sealer.headSize + recordHeaderSize + frame.length;
    if (length > datagramMax) return;
    const datagram = pool.take();
    writePeerName(datagram, 0, local);
    writeRecord(datagram, sealer.headSize, route, frame);
    this.#dispatch(df, datagram, length);
    pool.give(datagram);
  }

  /** The burst is over. What waited goes first. */
  flush(): void {
    if (this.waiting) this.#backlog.drain(({ df, bytes }) => this.#send(df, bytes, bytes.length));
    this.#df.flush();
    this.#whole.flush();
  }

  /** Whether datagrams wait for room in the socket. */
  get waiting(): boolean {
    return !this.#backlog.empty;
  }

  #dispatch(df: boolean, datagram: Uint8Array, length: number): void {
    this.#options.sealer.seal(datagram, length, df);
    // Behind a backlog, order is kept.
    if (this.#backlog.empty && this.#send(df, datagram, length)) return;
    if (!this.#backlog.push(df, datagram, length)) this.#options.counters.dropBacklogFull++;
  }

  /** False when the socket has no room; in every other case the datagram is done with. */
  #send(df: boolean, datagram: Uint8Array, length: number): boolean {
    const { ports, link, counters } = this.#options;
    const result = ports.send(link, this.to!, df, datagram, length);
    if (result === "busy") return false;
    if (result === "sent") {
      counters.datagramsOut++;
      counters.datagramOctetsOut += length;
    } else if ("pathMtu" in result) {
      counters.sendTooBig++;
      this.#options.tooBig(result.pathMtu);
    } else {
      counters.sendErrors++;
      this.#options.failed(result.error);
    }
    return true;
  }
}
