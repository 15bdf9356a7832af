import { WeaveError } from "./errors.ts";

/**
 * A peer's name: a 48-bit number written like a MAC address (mesh-protocol §2.1).
 *
 * It is kept as a number, which holds 48 bits exactly, because names are compared and used as keys
 * everywhere; its numeric order is the order of its canonical text. Zero means "no peer".
 */
export type PeerName = number & { readonly __brand: "PeerName" };

/** Octets of a name on the wire. */
export const peerNameSize = 6;

/** Stands for "no peer" and "unknown peer"; never a usable name. */
export const noPeer = 0 as PeerName;

const limit = 2 ** 48;

/** Takes a number off the wire; throws `PEER_NAME_RANGE` beyond 48 bits. */
export function peerNameFromNumber(value: number | bigint): PeerName {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0 || number >= limit) {
    throw new WeaveError("PEER_NAME_RANGE", `peer name ${value} does not fit 48 bits`);
  }
  return number as PeerName;
}

/** Reads six octets, most significant first. */
export function readPeerName(bytes: Uint8Array, at = 0): PeerName {
  const high = (bytes[at]! << 8) | bytes[at + 1]!;
  const low =
    ((bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!) >>>
    0;
  return (high * 2 ** 32 + low) as PeerName;
}

export function writePeerName(bytes: Uint8Array, at: number, name: PeerName): void {
  const high = Math.floor(name / 2 ** 32);
  const low = name >>> 0;
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  bytes[at + 2] = low >>> 24;
  bytes[at + 3] = low >>> 16;
  bytes[at + 4] = low >>> 8;
  bytes[at + 5] = low;
}

export function peerNameBytes(name: PeerName): Uint8Array {
  const bytes = new Uint8Array(peerNameSize);
  writePeerName(bytes, 0, name);
  return bytes;
}

/** Canonical text: six two-digit lower-case hex groups joined by colons. */
export function formatPeerName(name: PeerName): string {
  const digits = name.toString(16).padStart(12, "0");
  return `${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}:${digits.slice(6, 8)}:${digits.slice(8, 10)}:${digits.slice(10, 12)}`;
}

/**
 * Reads the text form: six groups of one or two hex digits, or one to four groups with a single
 * `::` standing for the missing ones. Blanks before a group are tolerated, as the original does.
 *
 * @throws WeaveError `PEER_NAME_FORMAT`
 */
export function parsePeerName(text: string): PeerName {
  const refuse = (): WeaveError =>
    new WeaveError("PEER_NAME_FORMAT", `invalid peer name format: "${text}"`, {
      remedy: "write six hex octets such as 8a:3e:3e:3e:3e:3e, or ::1",
    });
  const halves = text.split("::");
  if (halves.length > 2) throw refuse();
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const given = groups[0]!.length + (groups[1]?.length ?? 0);
  if (halves.length === 1 ? given !== 6 : given < 1 || given > 4) throw refuse();
  const missing: string[] = new Array(6 - given).fill("0");
  let value = 0;
  for (const group of [...groups[0]!, ...missing, ...(groups[1] ?? [])]) {
    if (!/^\s*[0-9a-fA-F]{1,2}$/.test(group)) throw refuse();
    value = value * 256 + Number.parseInt(group, 16);
  }
  return value as PeerName;
}

/** Ascending order of names, for `sort`. */
export function byPeerName(a: PeerName, b: PeerName): number {
  return a - b;
}
