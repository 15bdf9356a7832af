import { emptyBytes } from "../../base/bytes.ts";
import { type BoxRun, openInPlace, type SecretBox, sealInPlace } from "../../base/secret-box.ts";
import { encryptedHeadSize, plainHeadSize, sequenceAt, tagAt } from "./datagram.ts";
import type { GenerationSecrets } from "./key-ratchet.ts";
import { ReplayWindow } from "./replay-window.ts";
import {
  newNonce,
  readsDf,
  readWindow,
  readWindowOffset,
  type SequenceField,
  sequenceSize,
  setNonceField,
  writeSequence,
} from "./sequence.ts";

/**
 * How the datagrams of one link are closed and opened, in place (sleeve §4, §10).
 *
 *   seal   [sender][ 8 + 16 free ][records]  ──▶  [sender][sequence][tag][ciphertext]
 *   open   the inverse, then the replay window: never before the datagram is proven authentic
 */
export interface DatagramSealer {
  /** Octets before the first record: 6 or 30. */
  readonly headSize: number;
  /** Closes the datagram in the first `length` octets of `buffer`; its length stays the same. */
  seal(buffer: Uint8Array, length: number, df: boolean): void;
  /** Goes on under new secrets, when there are any; those of before are forgotten. */
  renew?(secrets: GenerationSecrets): void;
  /** The link has ended: overwrites what keys it can. */
  close?(): void;
}

export type OpenFault =
  | "tooShort"
  /** Sealed under a key that is not expected now. */
  | "unknownEpoch"
  | "notAuthentic"
  | "replayed";

export interface DatagramOpener {
  readonly headSize: number;
  /** Opens the datagram in place; the records then begin at `offset + headSize`. */
  open(buffer: Uint8Array, offset: number, length: number): OpenFault | undefined;
  renew?(secrets: GenerationSecrets): void;
  close?(): void;
}

/** For links without a session key: nothing to do. */
export const plainSealer: DatagramSealer = { headSize: plainHeadSize, seal() {} };
export const plainOpener: DatagramOpener = { headSize: plainHeadSize, open: () => undefined };

export interface SealKey {
  readonly box: SecretBox;
  /** 32 octets. */
  readonly key: Uint8Array;
  /** Whether we dialled the TCP connection. */
  readonly outbound: boolean;
}

/** Filled in for every datagram, so that none costs an object. */
type MutableRun = { -readonly [K in keyof BoxRun]: BoxRun[K] };

export class EncryptingSealer implements DatagramSealer {
  readonly headSize = encryptedHeadSize;
  readonly #box: SecretBox;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #run: MutableRun = { buffer: emptyBytes, at: tagAt, length: 0 };
  #dfSequence = 0;
  #sequence = 0;

  constructor({ box, key, outbound }: SealKey) {
    this.#box = box;
    this.#key = key;
    this.#nonce = newNonce(outbound);
  }

  /** Uses up one number of the stream, also for a datagram that then fails to send. */
  seal(buffer: Uint8Array, length: number, df: boolean): void {
    this.sealAs({ sequence: df ? this.#dfSequence++ : this.#sequence++, df }, buffer, length);
  }

  /** Seals under a number of the caller's, which must not be used again with this key. */
  sealAs(number: SequenceField, buffer: Uint8Array, length: number): void {
    writeSequence(buffer, sequenceAt, number);
    setNonceField(this.#nonce, buffer, sequenceAt);
    this.#run.buffer = buffer;
    this.#run.length = length - tagAt;
    sealInPlace(this.#box, this.#run, this.#nonce, this.#key);
  }
}

export class DecryptingOpener implements DatagramOpener {
  readonly headSize = encryptedHeadSize;
  readonly #box: SecretBox;
  readonly #key: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #run: MutableRun = { buffer: emptyBytes, at: 0, length: 0 };
  readonly #dfWindow = new ReplayWindow();
  readonly #window = new ReplayWindow();

  constructor({ box, key, outbound }: SealKey) {
    this.#box = box;
    this.#key = key;
    this.#nonce = newNonce(!outbound);
  }

  open(buffer: Uint8Array, offset: number, length: number): OpenFault | undefined {
    const field = offset + sequenceAt;
    if (length < sequenceAt + sequenceSize) return "tooShort";
    // Read before anything is overwritten: a failed open may leave the buffer in any state.
    const window = readWindow(buffer, field);
    const windowOffset = readWindowOffset(buffer, field);
    const df = readsDf(buffer, field);
    setNonceField(this.#nonce, buffer, field);
    this.#run.buffer = buffer;
    this.#run.at = offset + tagAt;
    this.#run.length = length - tagAt;
    if (!openInPlace(this.#box, this.#run, this.#nonce, this.#key)) return "notAuthentic";
    const accepted = (df ? this.#dfWindow : this.#window).accept(window, windowOffset);
    return accepted ? undefined : "replayed";
  }
}
