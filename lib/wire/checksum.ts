import { vectorBytes, vectorRunMax, vectorSum } from "./vector-sum.ts";

/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of all 16-bit
 * words; an odd last octet counts as the high half of a word.
 *
 * Because 2^16 and 1 are the same modulo 0xffff, 32-bit words add up to the same sum as their
 * halves, and carries may be folded once, at the end: 64 KiB of words stay far below 2^53.
 */

/** Runs of at least this many octets are worth a view that reads 32 bits at a time. */
const byWordsMin = 64;

/** Adds `length` octets at `at` to a running sum. Start with 0; parts but the last have even length. */
export function checksumAdd(sum: number, bytes: Uint8Array, at: number, length: number): number {
  if (length < byWordsMin) return addOctets(sum, bytes, at, length);
  const vectors = length & -vectorBytes;
  const quick = vectors <= vectorRunMax ? vectorSum(bytes, at, vectors) : undefined;
  if (quick === undefined) return addWords(sum, bytes, at, length);
  // With the octets of each word the other way round, the sum is the other way round, too.
  const folded = checksumFold(quick);
  const swapped = ((folded & 0xff) << 8) | (folded >>> 8);
  return addOctets(sum + swapped, bytes, at + vectors, length - vectors);
}

function addWords(sum: number, bytes: Uint8Array, at: number, length: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const last = length - 16;
  // Four sums, so that an addition need not wait for the one before it.
  let [a, b, c, d, i] = [0, 0, 0, 0, 0];
  for (; i <= last; i += 16) {
    a += view.getUint32(i);
    b += view.getUint32(i + 4);
    c += view.getUint32(i + 8);
    d += view.getUint32(i + 12);
  }
  return addOctets(sum + a + b + c + d, bytes, at + i, length - i);
}

function addOctets(sum: number, bytes: Uint8Array, at: number, length: number): number {
  const even = at + (length & ~1);
  for (let i = at; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return (length & 1) === 1 ? sum + (bytes[even]! << 8) : sum;
}

/** Folds the carries of a running sum: the one's complement sum itself, 16 bits. */
export function checksumFold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

/** Folds the carries of a running sum and complements it: the 16 bits to write into the packet. */
export function checksumFinish(sum: number): number {
  return ~checksumFold(sum) & 0xffff;
}

/** The checksum of one run of octets whose checksum field is zero; 0 for a run that verifies. */
export function checksum(bytes: Uint8Array, at: number, length: number): number {
  return checksumFinish(checksumAdd(0, bytes, at, length));
}
