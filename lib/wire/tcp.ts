/**
 * A TCP header (RFC 9293 §3.1), as far as offloads touch it.
 *
 *    0               1               2               3
 *   +-------------------------------+-------------------------------+
 *   |          source port          |       destination port        |
 *   +-------------------------------+-------------------------------+
 *   |                        sequence number                        |
 *   +---------------------------------------------------------------+
 *   |                    acknowledgement number                     |
 *   +-------+-------+---------------+-------------------------------+
 *   | words |   0   |C E U A P R S F|            window             |   words: of the header
 *   +-------+-------+---------------+-------------------------------+
 *   |           checksum            |        urgent pointer         |
 *   +-------------------------------+-------------------------------+
 *   |                    options, words × 4 − 20                    |
 *   +---------------------------------------------------------------+
 */
export const tcpProtocol = 6;
export const tcpHeaderMin = 20;

export const tcpSequenceAt = 4;
export const tcpAcknowledgementAt = 8;
export const tcpWordsAt = 12;
export const tcpFlagsAt = 13;
export const tcpWindowAt = 14;
export const tcpChecksumAt = 16;
export const tcpUrgentAt = 18;

export const tcpFlag = { fin: 0x01, push: 0x08, acknowledge: 0x10, reduced: 0x80 } as const;

export function tcpHeaderLength(bytes: Uint8Array, at: number): number {
  return (bytes[at + tcpWordsAt]! >>> 4) * 4;
}
