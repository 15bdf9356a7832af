import { closeDescriptor } from "../../ffi/descriptor.ts";
import { connectSocket, openSocket, SOCK_DGRAM } from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { familyOf, formatHostIp, type HostIp } from "../base/ip.ts";
import { socketAddress, udpOf } from "./udp-family.ts";

/**
 * Why the kernel knows no way to an address, by the name of its errno, `ENETUNREACH` for one;
 * `undefined` when it knows one. Nothing is sent. The runtime calls all of that a refusal.
 *
 * @param from the address from which it has to be; `undefined` for any
 */
export function whyUnreachable(to: HostIp, from: HostIp | undefined): string | undefined {
  if (from !== undefined && familyOf(from) !== familyOf(to)) return "EAFNOSUPPORT";
  const anyPort = 9;
  const family = udpOf(to);
  let probe: number | undefined;
  try {
    probe = openSocket(family.domain, SOCK_DGRAM, 0, "to look for a route");
    connectSocket(probe, socketAddress(family, to, anyPort), formatHostIp(to));
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return error.errnoName;
  } finally {
    if (probe !== undefined) closeDescriptor(probe);
  }
}
