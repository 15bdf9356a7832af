import { readUint16, writeUint16 } from "../base/bytes.ts";
import { checksum } from "./checksum.ts";

/**
 * An IPv4 header (RFC 791).
 *
 *    0               1               2               3
 *   +-------+-------+---------------+-------------------------------+
 *   |version|  IHL  |      TOS      |         total length          |   IHL: header in 32-bit words
 *   +-------+-------+---------------+-----+-------------------------+
 *   |         identification        |0 D M|     fragment offset     |   D, M: don't / more fragments
 *   +---------------+---------------+-----+-------------------------+   offset: in units of 8 octets
 *   |      TTL      |   protocol    |        header checksum        |
 *   +---------------+---------------+-------------------------------+
 *   |                         source address                        |
 *   +---------------------------------------------------------------+
 *   |                      destination address                      |
 *   +---------------------------------------------------------------+
 *   |                      options, IHL × 4 − 20                    |
 *   +---------------------------------------------------------------+
 *
 * Every function takes the buffer and where the header begins, and allocates nothing.
 */
export const ipv4HeaderMin = 20;

export const ipv4TosAt = 1;
export const ipv4TotalLengthAt = 2;
export const ipv4IdentificationAt = 4;
export const ipv4FlagsAt = 6;
export const ipv4TtlAt = 8;
export const ipv4ProtocolAt = 9;
export const ipv4ChecksumAt = 10;
export const ipv4SourceAt = 12;
export const ipv4DestinationAt = 16;

export const ipv4DontFragment = 0x4000;
export const ipv4MoreFragments = 0x2000;
/** Mask and largest value of the fragment offset, in units of 8 octets. */
export const ipv4OffsetMax = 0x1fff;

export function ipv4HeaderLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 15) * 4;
}

/** The length the header claims; 0, which senders of super-segments write, means all `available`. */
export function ipv4TotalLength(bytes: Uint8Array, at: number, available: number): number {
  return readUint16(bytes, at + ipv4TotalLengthAt) || available;
}

/** The 16 bits of flags and fragment offset. */
export function ipv4Flags(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at + ipv4FlagsAt);
}

/**
 * Whether `available` octets at `at` count as an IPv4 packet by the rules all peers share (sleeve
 * §5): version and checksum are not looked at, and a total length beyond what is there is let
 * through, so whoever reads past the header must check it against `available`.
 */
export function isIpv4(bytes: Uint8Array, at: number, available: number): boolean {
  if (available < ipv4HeaderMin) return false;
  const header = ipv4HeaderLength(bytes, at);
  const total = ipv4TotalLength(bytes, at, available);
  if (header < ipv4HeaderMin || header > total || header > available) return false;
  return header === ipv4HeaderMin || optionsWellFormed(bytes, at + ipv4HeaderMin, at + header);
}

const optionEnd = 0;
const optionNoOperation = 1;

function optionsWellFormed(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; ) {
    const type = bytes[at]!;
    if (type === optionEnd) return true;
    if (type === optionNoOperation) {
      at++;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return false;
    at += length;
  }
  return true;
}

/** Fills in the header checksum. */
export function ipv4Seal(bytes: Uint8Array, at: number): void {
  writeUint16(bytes, at + ipv4ChecksumAt, 0);
  writeUint16(bytes, at + ipv4ChecksumAt, checksum(bytes, at, ipv4HeaderLength(bytes, at)));
}
