import { closeDescriptor } from "../../ffi/descriptor.ts";
import { addressOf, pinnedBytes } from "../../ffi/memory.ts";
import { AF_INET, controlDevice, openSocket, SOCK_DGRAM } from "../../ffi/socket.ts";
import { utf8 } from "../base/bytes.ts";

const SIOCETHTOOL = 0x8946;
const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_STXCSUM = 0x17;

/**
 * Makes an interface complete the checksums of what it sends, and so never send super-segments:
 * frames that reach the router in user space must be fit for the wire as they are.
 *
 *   struct ifreq (40)                       struct ethtool_value (8)
 *   +----------+--------------+-------+     +------------+---------+
 *   | name: 16 | pointer: 8 ──┼───────┼───▶ | command: 4 | data: 4 |
 *   +----------+--------------+-------+     +------------+---------+
 *
 * The interface is looked for in the thread's network namespace. @throws SystemError
 */
export function disableChecksumOffload(interfaceName: string): void {
  ethtool(interfaceName, ETHTOOL_STXCSUM, 0);
}

/** Whether the interface leaves checksums of what it sends to hardware. @throws SystemError */
export function hasChecksumOffload(interfaceName: string): boolean {
  return ethtool(interfaceName, ETHTOOL_GTXCSUM, 0) !== 0;
}

function ethtool(interfaceName: string, command: number, data: number): number {
  const value = new DataView(pinnedBytes(8).buffer);
  value.setUint32(0, command, true);
  value.setUint32(4, data, true);
  const request = pinnedBytes(40);
  request.set(utf8(interfaceName).subarray(0, 15));
  new DataView(request.buffer).setBigUint64(16, BigInt(addressOf(value)), true);
  const socket = openSocket(AF_INET, SOCK_DGRAM, 0, "for ethtool");
  try {
    controlDevice(socket, SIOCETHTOOL, request, `checksum offload of ${interfaceName}`);
  } finally {
    closeDescriptor(socket);
  }
  return value.getUint32(4, true);
}
