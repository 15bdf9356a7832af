import { closeDescriptor } from "../../../ffi/descriptor.ts";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { HostIp } from "../../base/ip.ts";
import { openUdpSocket, udpPortOf } from "../udp-socket.ts";

export interface UnderlayOptions {
  /** A local address, or 0 for all of both families. */
  readonly host: HostIp;
  /** 0 for any, the same for both families. */
  readonly port: number;
  /** Of each socket, for each direction. */
  readonly bufferBytes: number;
  /** Sockets of an earlier process, which may have known of IPv4 alone. */
  readonly inherited?: readonly number[] | undefined;
}

export interface UnderlayDescriptors {
  /** Of UDP sockets, at most one a family. */
  readonly descriptors: readonly number[];
  /** Why hosts are reached by IPv4 alone where both families were wanted; else empty. */
  readonly withoutIpv6: string;
}

const anyIpv6 = "::";

/** What a kernel says that was built, started or set up without IPv6. */
const absences = ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT"];

/**
 * Opens the sockets by which other hosts reach this one: of the family of `host`, or of both where
 * that is 0 and the kernel has IPv6.
 *
 * @throws WeaveError `UDP_BIND`; then nothing is open, inherited or not
 */
export function openUnderlay(
  { host, port, bufferBytes, inherited = [] }: UnderlayOptions,
  open = openUdpSocket,
): UnderlayDescriptors {
  const [first = open(host, port, bufferBytes), ...others] = inherited;
  if (host !== 0 || others.length > 0) {
    return { descriptors: [first, ...others], withoutIpv6: "" };
  }
  try {
    const second = open(anyIpv6, udpPortOf(first), bufferBytes);
    return { descriptors: [first, second], withoutIpv6: "" };
  } catch (error) {
    const cause = error instanceof WeaveError ? error.cause : undefined;
    if (isSystemError(cause, ...absences)) {
      return { descriptors: [first], withoutIpv6: errorText(cause) };
    }
    closeDescriptor(first);
    throw error;
  }
}
