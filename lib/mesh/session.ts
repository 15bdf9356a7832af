import { sha256 } from "@noble/hashes/sha2.js";
import nacl from "tweetnacl";
import { concatBytes, writeUint64 } from "../base/bytes.ts";
import { assert, WeaveError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { portableSecretBox, type SecretBox, secretBoxNonceSize } from "../base/secret-box.ts";

/**
 * Keys and sealing of one TCP connection (mesh-protocol §4.5).
 *
 *   own private key ─┐
 *                    ├─ X25519 ─▶ HSalsa20 ─▶ shared key ─┐
 *   remote public ───┘                                    ├─ SHA-256 ─▶ session key
 *                                              password ──┘
 *
 * Nonce of message n:
 *
 *    0                1 … 15   16 … 23
 *   ┌────────────────┬────────┬─────────────┐
 *   │ d 1 0 0 0 0 0 0│   0    │ n, 64 bits  │   d = 1: the sender dialled this connection
 *   └────────────────┴────────┴─────────────┘
 */
export interface KeyPair {
  /** 32 octets. */
  readonly privateKey: Uint8Array;
  /** 32 octets. */
  readonly publicKey: Uint8Array;
}

export const publicKeySize = 32;

/** A pair for one connection alone. */
export function newKeyPair(random: Random): KeyPair {
  return keyPairOf(random.fill(new Uint8Array(32)));
}

/** The pair that belongs to a private key of 32 octets. */
export function keyPairOf(privateKey: Uint8Array): KeyPair {
  return { privateKey, publicKey: nacl.scalarMult.base(privateKey) };
}

/**
 * The 32 octets under which everything of this connection is sealed.
 *
 * @throws WeaveError `KEY_WEAK` for a public key of low order, with which the shared key would be
 * the same for everybody
 */
export function sessionKey(
  own: KeyPair,
  remotePublicKey: Uint8Array,
  password: Uint8Array,
): Uint8Array {
  if (nacl.scalarMult(own.privateKey, remotePublicKey).every((octet) => octet === 0)) {
    throw new WeaveError("KEY_WEAK", "remote sent a public key that hides nothing", {
      remedy:
        "somebody probes this port or the connection is tampered with: no peer sends such keys",
    });
  }
  const shared = nacl.box.before(remotePublicKey, own.privateKey);
  return sha256(concatBytes(shared, password));
}

const messagesMax = 1n << 64n;

/** The 24-octet nonce of a message on TCP. */
export function tcpNonce(senderOutbound: boolean, messageNumber: bigint): Uint8Array {
  assert(messageNumber < messagesMax, "a nonce is never used twice");
  const nonce = new Uint8Array(secretBoxNonceSize);
  nonce[0] = senderOutbound ? 0xc0 : 0x40;
  writeUint64(nonce, 16, messageNumber);
  return nonce;
}

/** Seals what we send, in order. */
export class TcpSealer {
  readonly #key: Uint8Array;
  readonly #outbound: boolean;
  readonly #box: SecretBox;
  #next = 0n;

  /** `outbound`: whether we dialled. */
  constructor(key: Uint8Array, outbound: boolean, box: SecretBox = portableSecretBox) {
    this.#key = key;
    this.#outbound = outbound;
    this.#box = box;
  }

  /** Authenticator and ciphertext: 16 octets more than `plain`. */
  seal(plain: Uint8Array): Uint8Array {
    return this.#box.seal(plain, tcpNonce(this.#outbound, this.#next++), this.#key);
  }
}

/** Opens what the remote sealed, in order. */
export class TcpOpener {
  readonly #key: Uint8Array;
  readonly #remoteOutbound: boolean;
  readonly #box: SecretBox;
  #next = 0n;

  /** `outbound`: whether we dialled; the remote's polarity is the opposite. */
  constructor(key: Uint8Array, outbound: boolean, box: SecretBox = portableSecretBox) {
    this.#key = key;
    this.#remoteOutbound = !outbound;
    this.#box = box;
  }

  /** @throws WeaveError `DECRYPT_FAILED` */
  open(sealed: Uint8Array): Uint8Array {
    const plain = this.#box.open(sealed, tcpNonce(this.#remoteOutbound, this.#next++), this.#key);
    if (plain !== undefined) return plain;
    throw new WeaveError("DECRYPT_FAILED", "Unable to decrypt TCP msg", {
      remedy: "give all peers the same password (--password or WEAVE_PASSWORD)",
    });
  }
}
