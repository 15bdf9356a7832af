import { readUint32, writeUint32 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import { GobInput } from "../wire/gob/number.ts";
import { encodeGob, GobStream, type GobType, gob } from "../wire/gob.ts";
import type { ReceiveBuffer } from "./receive-buffer.ts";

/**
 * How messages are told apart on the stream.
 *
 *   version 2 (mesh-protocol §4.2)
 *   ┌─────────────────┬─────────────────┐
 *   │ length, 32 bits │ length octets   │
 *   └─────────────────┴─────────────────┘
 *
 *   version 1 (§4.3): one gob stream for the life of the connection
 *   ┌────────┬──────┬────┬───────┬───────────────┐
 *   │ length │ 0a   │ 00 │ count │ count octets  │    a top-level gob byte slice
 *   └────────┴──────┴────┴───────┴───────────────┘
 */
export interface Framing {
  /** `content`, ready for the stream. It has at most {@link frameMaxBytes} octets. */
  wrap(content: Uint8Array): Uint8Array;
  /**
   * The content of the next frame, or `undefined` while it has not arrived whole. `maxBytes`
   * lowers the bound for this frame.
   *
   * @throws WeaveError `FRAME_TOO_LARGE` as soon as the length is known, or a `GobError`
   */
  next(maxBytes?: number): Uint8Array | undefined;
}

/** Octets of a frame's content, after sealing, in either direction. */
export const frameMaxBytes = 10 * 1024 * 1024;

const lengthSize = 4;

/** Version 2. */
export class LengthFraming implements Framing {
  readonly #received: ReceiveBuffer;

  constructor(received: ReceiveBuffer) {
    this.#received = received;
  }

  wrap(content: Uint8Array): Uint8Array {
    const frame = new Uint8Array(lengthSize + content.length);
    writeUint32(frame, 0, content.length);
    frame.set(content, lengthSize);
    return frame;
  }

  next(maxBytes = frameMaxBytes): Uint8Array | undefined {
    const prefix = this.#received.peek(lengthSize);
    if (prefix.length < lengthSize) return undefined;
    const length = readUint32(prefix, 0);
    refuseLarge(length, maxBytes);
    if (this.#received.length < lengthSize + length) return undefined;
    this.#received.take(lengthSize);
    return this.#received.take(length);
  }
}

/** Octets of the longest gob number, which a message begins with. */
const gobNumberMaxSize = 9;
/** Type id, marker and count around the content of a version 1 message. */
const gobOverheadMaxBytes = 2 + gobNumberMaxSize;

/**
 * Version 1. The original knows no bound here; ours is that of version 2, which every original
 * peer prefers anyway.
 */
export class GobFraming implements Framing {
  readonly #received: ReceiveBuffer;
  readonly #stream = new GobStream({ messageBytesMax: frameMaxBytes + gobOverheadMaxBytes });

  constructor(received: ReceiveBuffer) {
    this.#received = received;
  }

  wrap(content: Uint8Array): Uint8Array {
    return encodeGob(gob.bytes, content);
  }

  next(maxBytes = frameMaxBytes): Uint8Array | undefined {
    return this.read(gob.bytes, maxBytes + gobOverheadMaxBytes)?.value;
  }

  /** Like {@link next} for a value of any type in messages of at most `messageMaxBytes`. */
  read<T>(type: GobType<T>, messageMaxBytes: number): { value: T } | undefined {
    for (;;) {
      const message = this.#nextMessage(messageMaxBytes);
      if (message === undefined) return undefined;
      this.#stream.push(message);
      const read = this.#stream.tryRead(type);
      if (read !== undefined) return read;
    }
  }

  /** One message of the gob stream with its length: a definition or a value. */
  #nextMessage(maxBytes: number): Uint8Array | undefined {
    const head = new GobInput(this.#received.peek(gobNumberMaxSize));
    if (head.remaining === 0 || head.numberSize() > head.remaining) return undefined;
    const length = head.uint();
    refuseLarge(length, maxBytes);
    const size = head.at + length;
    return this.#received.length < size ? undefined : this.#received.take(size);
  }
}

function refuseLarge(length: number, maxBytes: number): void {
  if (length <= maxBytes) return;
  // The general bound is named where both are exceeded: it is the one that others know.
  const bound = length > frameMaxBytes ? frameMaxBytes : maxBytes;
  throw new WeaveError(
    "FRAME_TOO_LARGE",
    `incoming message exceeds maximum size: ${length} > ${bound}`,
    { remedy: "the remote is no peer, or its cluster outgrew what one message can carry" },
  );
}
