import { checksumAdd } from "../../wire/checksum.ts";
import { ipv4SourceAt } from "../../wire/ipv4.ts";
import { ipv6AddressSize, ipv6SourceAt } from "../../wire/ipv6.ts";

/**
 * What TCP and UDP checksums cover besides their own octets (RFC 9293 §3.1, RFC 8200 §8.1):
 *
 *   [ source address | destination address | protocol | length of TCP or UDP ]
 *
 * Both address pairs lie together in their headers. Returns a running sum without the length.
 */
export function pseudoHeaderSum(
  bytes: Uint8Array,
  packetAt: number,
  isIpv6: boolean,
  protocol: number,
): number {
  return isIpv6
    ? checksumAdd(protocol, bytes, packetAt + ipv6SourceAt, 2 * ipv6AddressSize)
    : checksumAdd(protocol, bytes, packetAt + ipv4SourceAt, 8);
}
