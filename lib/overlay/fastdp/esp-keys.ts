import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { readUint32, writeUint32, writeUint64 } from "../../base/bytes.ts";
import type { PeerName } from "../../base/peer-name.ts";

/**
 * Keys of the security associations that encrypt VXLAN between two hosts (fastdp §8.2, §8.3): one
 * association for each direction, its key made by whoever decrypts.
 *
 *   session key, nonce, name of the receiver ──HKDF-SHA256──▶ AES-256 key (32) | salt (4)
 *
 * The receiver tells the sender by a control message:
 *
 *   0                32    36                    64
 *   +----------------+-----+---------------------+
 *   | nonce          | SPI | zeros               |
 *   +----------------+-----+---------------------+
 */
export const espKeyBytes = 36;
export const espNonceBytes = 32;
const spiAt = espNonceBytes;
const invitationBytes = 64;

/** Below are those that the standard reserves. */
export const spiMin = 0x100;

export interface EspInvitation {
  readonly nonce: Uint8Array;
  /** Names the association at the receiver. */
  readonly spi: number;
}

export function deriveEspKey(
  sessionKey: Uint8Array,
  nonce: Uint8Array,
  receiver: PeerName,
): Uint8Array {
  const name = new Uint8Array(8);
  writeUint64(name, 0, BigInt(receiver));
  return hkdf(sha256, sessionKey, nonce, name, espKeyBytes);
}

export function encodeInvitation({ nonce, spi }: EspInvitation): Uint8Array {
  const body = new Uint8Array(invitationBytes);
  body.set(nonce);
  writeUint32(body, spiAt, spi);
  return body;
}

/** `undefined` for a body of any other length, or with an SPI that cannot be. */
export function decodeInvitation(body: Uint8Array): EspInvitation | undefined {
  if (body.length !== invitationBytes) return undefined;
  const spi = readUint32(body, spiAt);
  return spi < spiMin ? undefined : { nonce: body.slice(0, espNonceBytes), spi };
}
