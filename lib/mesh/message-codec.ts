import { assert } from "../base/errors.ts";
import { portableSecretBox, type SecretBox, secretBoxOverhead } from "../base/secret-box.ts";
import { type Framing, frameMaxBytes } from "./framing.ts";
import type { ReceiveBuffer } from "./receive-buffer.ts";
import { TcpOpener, TcpSealer } from "./session.ts";

/** What both directions are sealed with. */
export interface Sealing {
  /** 32 octets. */
  readonly key: Uint8Array;
  /** Whether we dialled. */
  readonly outbound: boolean;
  readonly secretBox?: SecretBox | undefined;
}

/**
 * From messages to the stream and back:
 *
 *   message ──seal──▶ content ──wrap──▶ stream        with a password
 *   message ───────────────────wrap──▶ stream        without
 *
 * Messages are numbered on both sides, so each is encoded and sent exactly once and in order.
 */
export class MessageCodec {
  readonly #received: ReceiveBuffer;
  readonly #framing: Framing;
  readonly #sealer: TcpSealer | undefined;
  readonly #opener: TcpOpener | undefined;

  constructor(received: ReceiveBuffer, framing: Framing, sealing: Sealing | undefined) {
    this.#received = received;
    this.#framing = framing;
    if (sealing === undefined) return;
    const { key, outbound, secretBox = portableSecretBox } = sealing;
    this.#sealer = new TcpSealer(key, outbound, secretBox);
    this.#opener = new TcpOpener(key, outbound, secretBox);
  }

  /** Octets of the largest message that fits a frame. */
  get messageMaxBytes(): number {
    return frameMaxBytes - (this.#sealer === undefined ? 0 : secretBoxOverhead);
  }

  /** Octets that arrived and were not read. */
  get heldBytes(): number {
    return this.#received.length;
  }

  encode(message: Uint8Array): Uint8Array {
    assert(message.length <= this.messageMaxBytes, "a message fits a frame");
    return this.#framing.wrap(this.#sealer?.seal(message) ?? message);
  }

  push(chunk: Uint8Array): void {
    this.#received.push(chunk);
  }

  /**
   * The next message, perhaps empty, or `undefined` while it has not arrived whole.
   *
   * @throws WeaveError `FRAME_TOO_LARGE`, `DECRYPT_FAILED` or a `GobError`
   */
  next(maxBytes?: number): Uint8Array | undefined {
    const content = this.#framing.next(maxBytes);
    return content === undefined ? undefined : (this.#opener?.open(content) ?? content);
  }
}
