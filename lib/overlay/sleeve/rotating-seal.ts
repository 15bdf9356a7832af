import { type Aead, type AeadKey, aeadNonceSize } from "../../base/aead.ts";
import { encryptedHeadSize, sequenceAt, tagAt } from "./datagram.ts";
import type { DatagramOpener, DatagramSealer, OpenFault } from "./datagram-seal.ts";
import { keyId, readKeyId, readNumber, writeEpochField } from "./epoch.ts";
import { type GenerationSecrets, KeyRatchet } from "./key-ratchet.ts";
import type { BurstClock } from "./path.ts";
import { ReplayWindow } from "./replay-window.ts";
import { windowBits } from "./sequence.ts";

/**
 * Datagrams between peers of our own kind: AES-256-GCM under keys that change (docs/protocol.md).
 *
 *    0        6                             14        30
 *   +--------+-----------------------------+---------+-----------------···
 *   | sender | generation | epoch | number |   tag   | records, enciphered
 *   +--------+-----------------------------+---------+-----------------···
 *       └──── nonce, 12 octets from 2 ────┘
 *
 * The head is as long as under NaCl's secretbox, so that a path carries the same. The number counts
 * up under each key; with the sender's last four octets before it, it makes the nonce. Generation
 * and epoch are part of the nonce and choose the key, the names of both peers go into the key: so
 * all of the head is authenticated without being enciphered along.
 *
 * A key seals at most {@link epochMaxDatagrams} and {@link epochMaxOctets}, which leaves whoever
 * watches a chance of 2⁻⁶⁵ to tell the ciphertext from noise (2³² blocks, of the 2⁶⁵ at which a
 * 128-bit block cipher begins to repeat: NIST SP 800-38D, RFC 9001 §6.6), and numbers are far from
 * their end. It seals for at most {@link epochMaxMs}, so that a stolen key is worth little.
 */
export const epochMaxMs = 120_000;
export const epochMaxDatagrams = 2 ** 26;
export const epochMaxOctets = 2 ** 36;

/** How long datagrams of the last epoch are still taken: far longer than networks reorder. */
export const formerEpochMs = 10_000;

/**
 * Epochs that may begin unheard. Within the minute after which a silent link is given up, a sender
 * would need 140 Gbit/s to use up so many.
 */
export const unheardEpochsMax = 16;

const nonceAt = tagAt - aeadNonceSize;

export interface RotatingSealOptions {
  readonly aead: Aead;
  readonly clock: BurstClock;
  readonly secrets: GenerationSecrets;
}

export class RotatingSealer implements DatagramSealer {
  readonly headSize = encryptedHeadSize;
  readonly #aead: Aead;
  readonly #clock: BurstClock;
  #generation: number;
  #ratchet: KeyRatchet;
  #key: AeadKey | undefined = undefined;
  #keyId = 0;
  #sinceMs = 0;
  #datagrams = 0;
  #octets = 0;

  constructor({ aead, clock, secrets }: RotatingSealOptions) {
    this.#aead = aead;
    this.#clock = clock;
    this.#generation = secrets.generation;
    this.#ratchet = new KeyRatchet(secrets.send);
  }

  /** Uses up one number, also for a datagram that then fails to send. */
  seal(buffer: Uint8Array, length: number): void {
    const key = this.#presentKey(length);
    writeEpochField(buffer, sequenceAt, this.#keyId, this.#datagrams++);
    this.#octets += length;
    key.seal(buffer, nonceAt, length - nonceAt);
  }

  #presentKey(length: number): AeadKey {
    const isGoodFor =
      this.#datagrams < epochMaxDatagrams &&
      this.#octets + length <= epochMaxOctets &&
      this.#clock.nowMs - this.#sinceMs < epochMaxMs;
    return this.#key !== undefined && isGoodFor ? this.#key : this.#nextKey();
  }

  #nextKey(): AeadKey {
    this.#key?.erase();
    const next = this.#ratchet.next((key, epoch) => {
      this.#keyId = keyId(this.#generation, epoch);
      return this.#aead.useKey(key);
    });
    this.#key = next;
    this.#sinceMs = this.#clock.nowMs;
    this.#datagrams = 0;
    this.#octets = 0;
    return next;
  }

  /** Begins a later generation. */
  renew({ generation, send }: GenerationSecrets): void {
    this.close();
    this.#generation = generation;
    this.#ratchet = new KeyRatchet(send);
  }

  /** Overwrites all keys. Only `renew` may follow. */
  close(): void {
    this.#ratchet.erase();
    this.#key?.erase();
    this.#key = undefined;
  }
}

/** One epoch as its receiver knows it. */
interface Epoch {
  readonly id: number;
  readonly key: AeadKey;
  readonly window: ReplayWindow;
}

/**
 * The receiver's end. Which epoch a datagram claims is believed only once it has authenticated:
 *
 *     former           present          ahead: derived when claimed, kept
 *   ┌─────────┐      ┌─────────┐      ┌────┬────┬───┬────┐
 *   │ for 10 s│◀─────│         │◀─────│ +1 │ +2 │ … │+16 │    the first authentic datagram of an
 *   └─────────┘      └─────────┘      └────┴────┴───┴────┘    epoch ahead makes it the present one
 *
 * Every epoch has a replay window of its own. A forger can make us derive each key ahead once, and
 * after that pays for his datagrams what he would pay under the present one.
 */
export class RotatingOpener implements DatagramOpener {
  readonly headSize = encryptedHeadSize;
  readonly #aead: Aead;
  readonly #clock: BurstClock;
  #ratchet: KeyRatchet;
  #generation: number;
  #present: Epoch;
  #former: Epoch | undefined = undefined;
  #formerUntilMs = 0;
  readonly #ahead: Epoch[] = [];

  constructor({ aead, clock, secrets }: RotatingSealOptions) {
    this.#aead = aead;
    this.#clock = clock;
    this.#generation = secrets.generation;
    this.#ratchet = new KeyRatchet(secrets.receive);
    this.#present = this.#derive();
  }

  #derive(): Epoch {
    return this.#ratchet.next((key, epoch) => ({
      id: keyId(this.#generation, epoch),
      key: this.#aead.useKey(key),
      window: new ReplayWindow(),
    }));
  }

  open(buffer: Uint8Array, offset: number, length: number): OpenFault | undefined {
    if (length < encryptedHeadSize) return "tooShort";
    const field = offset + sequenceAt;
    const epoch = this.#epochOf(readKeyId(buffer, field));
    if (epoch === undefined) return "unknownEpoch";
    const number = readNumber(buffer, field);
    if (!epoch.key.open(buffer, offset + nonceAt, length - nonceAt)) return "notAuthentic";
    if (epoch.id > this.#present.id) this.#advanceTo(epoch);
    const offsetInWindow = number & (2 ** windowBits - 1);
    return epoch.window.accept(number >>> windowBits, offsetInWindow) ? undefined : "replayed";
  }

  #epochOf(id: number): Epoch | undefined {
    if (this.#former !== undefined && this.#clock.nowMs >= this.#formerUntilMs)
      this.#forgetFormer();
    const present = this.#present;
    if (id === present.id) return present;
    if (id === this.#former?.id) return this.#former;
    const ahead = id - present.id;
    if (ahead < 1 || ahead > unheardEpochsMax || id > keyId(this.#generation + 1, 0) - 1) {
      return undefined;
    }
    while (this.#ahead.length < ahead) this.#ahead.push(this.#derive());
    return this.#ahead[ahead - 1];
  }

  #advanceTo(epoch: Epoch): void {
    const skipped = this.#ahead.splice(0, this.#ahead.indexOf(epoch) + 1).slice(0, -1);
    this.#retire(epoch);
    // Late datagrams are of the epoch just before, be it one that was not heard at all.
    for (const missed of skipped) {
      this.#former?.key.erase();
      this.#former = missed;
    }
  }

  /** Makes `successor` the present epoch; the one it follows is still taken for a while. */
  #retire(successor: Epoch): void {
    this.#forgetFormer();
    this.#former = this.#present;
    this.#formerUntilMs = this.#clock.nowMs + formerEpochMs;
    this.#present = successor;
  }

  #forgetFormer(): void {
    this.#former?.key.erase();
    this.#former = undefined;
  }

  /** Begins a later generation, of which only the future is known: nothing in it was ever taken. */
  renew({ generation, receive }: GenerationSecrets): void {
    for (const { key } of this.#ahead.splice(0)) key.erase();
    this.#ratchet.erase();
    this.#generation = generation;
    this.#ratchet = new KeyRatchet(receive);
    this.#retire(this.#derive());
  }

  /** Overwrites all keys; nothing may be opened any more. */
  close(): void {
    this.#forgetFormer();
    for (const { key } of [this.#present, ...this.#ahead.splice(0)]) key.erase();
    this.#ratchet.erase();
  }
}
