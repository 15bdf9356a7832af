import { readUint16 } from "../../base/bytes.ts";
import { ethernetHeaderSize, ethernetTypeAt, etherType } from "../../wire/ethernet.ts";
import { ipv4DontFragment, ipv4Flags, isIpv4 } from "../../wire/ipv4.ts";
import { ipv6MtuMin, isIpv6 } from "../../wire/ipv6.ts";

/**
 * How a frame travels on a link (sleeve §9). "Fits" means its packet is not above the link's MTU,
 * "may fit" that it is not above the ceiling of a path MTU search that is not certain of anything
 * yet; then the frame is sent without DF, and the stack or a router on the way may divide it.
 *
 *    packet             fits   may fit   neither
 *    IPv4, DF           df     whole     refuse, or drop when broadcast
 *    IPv4, no DF        df     split     split       (whole where the path carries fragments)
 *    IPv6               whole  whole     refuse, or whole when broadcast
 *    anything else      whole  whole     whole
 *
 * IPv6 packets are never divided on the way, so a sender of too big ones is told, as with DF; the
 * MTU it is told is never below 1280, and packets up to 1280 always go.
 */
export type Carriage =
  /** In a datagram that must not be fragmented. */
  | "df"
  /** In a datagram that may be fragmented, whatever its size. */
  | "whole"
  /** As IPv4 fragments that fit. */
  | "split"
  /** Not at all, and its sender is told the MTU. */
  | "refuse"
  | "drop";

export type PacketKind = "ipv4Df" | "ipv4" | "ipv6" | "other";

export interface PathLimits {
  /** Largest packet that is known to pass unfragmented. */
  readonly mtu: number;
  /** Largest packet that may still turn out to pass; at least `mtu`. */
  readonly ceiling: number;
  /** Whether datagrams larger than the path MTU arrive when the IP stack fragments them. */
  readonly stackFragments: boolean;
}

/** `length` counts the Ethernet header, which is present. Nothing behind a VLAN tag is seen. */
export function packetKind(bytes: Uint8Array, at: number, length: number): PacketKind {
  const packetAt = at + ethernetHeaderSize;
  const available = length - ethernetHeaderSize;
  switch (readUint16(bytes, at + ethernetTypeAt)) {
    case etherType.ipv4:
      if (!isIpv4(bytes, packetAt, available)) return "other";
      return (ipv4Flags(bytes, packetAt) & ipv4DontFragment) !== 0 ? "ipv4Df" : "ipv4";
    case etherType.ipv6:
      return isIpv6(bytes, packetAt, available) ? "ipv6" : "other";
    default:
      return "other";
  }
}

/** `length` counts the Ethernet header. `broadcast`: the frame is being flooded. */
export function carriage(
  kind: PacketKind,
  length: number,
  limits: PathLimits,
  broadcast: boolean,
): Carriage {
  const packet = length - ethernetHeaderSize;
  switch (kind) {
    case "ipv4Df":
      if (packet <= limits.mtu) return "df";
      if (broadcast) return "drop";
      return packet <= limits.ceiling ? "whole" : "refuse";
    case "ipv4":
      if (limits.stackFragments) return "whole";
      return packet <= limits.mtu ? "df" : "split";
    case "ipv6":
      return broadcast || packet <= Math.max(limits.ceiling, ipv6MtuMin) ? "whole" : "refuse";
    case "other":
      return "whole";
  }
}
