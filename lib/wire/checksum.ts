/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of all 16-bit
 * words; an odd last octet counts as the high half of a word.
 */

/** Adds `length` octets at `at` to a running sum. Start with 0; parts but the last have even length. */
export function checksumAdd(sum: number, bytes: Uint8Array, at: number, length: number): number {
  const even = at + (length & ~1);
  // 64 KiB of words stay far below 2^53, so carries are folded once, at the end.
  for (let i = at; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  return (length & 1) === 1 ? sum + (bytes[even]! << 8) : sum;
}

/** Folds the carries of a running sum and complements it: the 16 bits to write into the packet. */
export function checksumFinish(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** The checksum of one run of octets whose checksum field is zero; 0 for a run that verifies. */
export function checksum(bytes: Uint8Array, at: number, length: number): number {
  return checksumFinish(checksumAdd(0, bytes, at, length));
}
