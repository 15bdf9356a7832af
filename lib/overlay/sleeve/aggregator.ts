import { type PeerName, writePeerName } from "../../base/peer-name.ts";
import type { BufferPool } from "./buffer-pool.ts";
import {
  datagramMax,
  type Frame,
  type FrameRoute,
  recordHeaderSize,
  writeRecord,
} from "./datagram.ts";

/**
 * Packs the frames of a burst into as few datagrams as fit (sleeve §9.3).
 *
 *            append, fits                              append, does not fit: flush, then as empty
 *   empty ────────────────▶ open [sender][··head··][record][record]··· ◀──┐
 *     ▲                       │                                  └────────┘ append, fits
 *     └────── flush ──────────┘
 *
 * The first frame may be as large as `firstMax` allows, which for datagrams that may be fragmented
 * is any size; further ones join only up to `joinMax`, which avoids needless fragments.
 */
export const framesPerDatagramMax = 100;

export interface AggregatorOptions {
  /** Our own name, with which every datagram begins. */
  readonly sender: PeerName;
  /** Octets of a datagram before its first record. */
  readonly headSize: number;
  readonly pool: BufferPool;
  /** A finished datagram of `length` octets, its head still to be sealed. */
  readonly emit: (datagram: Uint8Array, length: number) => void;
}

export class Aggregator {
  readonly #options: AggregatorOptions;
  #firstMax = datagramMax;
  #joinMax = datagramMax;
  #buffer: Uint8Array | undefined = undefined;
  #length = 0;
  #frames = 0;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  /** UDP payload bounds for a datagram of one frame and for one of several. */
  limit(bounds: { firstMax: number; joinMax: number }): void {
    this.#firstMax = bounds.firstMax;
    this.#joinMax = bounds.joinMax;
  }

  /** False when the frame does not fit even alone. */
  append(route: FrameRoute, frame: Frame): boolean {
    const size = recordHeaderSize + frame.length;
    if (this.#frames > 0 && this.#length + size > this.#joinMax) this.flush();
    if (this.#frames === 0) {
      if (this.#options.headSize + size > this.#firstMax) return false;
      this.#open();
    }
    this.#length = writeRecord(this.#buffer!, this.#length, route, frame);
    if (++this.#frames === framesPerDatagramMax) this.flush();
    return true;
  }

  #open(): void {
    this.#buffer = this.#options.pool.take();
    writePeerName(this.#buffer, 0, this.#options.sender);
    this.#length = this.#options.headSize;
  }

  /** Emits the open datagram, if there is one. */
  flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    this.#frames = 0;
    this.#options.emit(buffer, this.#length);
    this.#options.pool.give(buffer);
  }
}
