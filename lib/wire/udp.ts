/**
 * A UDP header (RFC 768).
 *
 *    0               1               2               3
 *   +-------------------------------+-------------------------------+
 *   |          source port          |       destination port        |
 *   +-------------------------------+-------------------------------+
 *   |    length, header included    |    checksum, 0: none is made  |
 *   +-------------------------------+-------------------------------+
 */
export const udpProtocol = 17;
export const udpHeaderSize = 8;

export const udpLengthAt = 4;
export const udpChecksumAt = 6;

/** A computed checksum of 0 is written as its other representation, because 0 says "none". */
export function udpChecksum(computed: number): number {
  return computed === 0 ? 0xffff : computed;
}
