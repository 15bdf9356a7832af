import { closeDescriptor } from "../../ffi/descriptor.ts";
import { AF_PACKET, bindSocket, openSocket, SOCK_RAW, sockaddrLl } from "../../ffi/socket.ts";
import { describedOffloads, describedUdpOffload } from "./interface-offloads.ts";
import { askForOffloads, hasOffloads } from "./packet-socket.ts";
import { takesUdpSuperFrames } from "./udp-super-frames.ts";

/**
 * What the tap may leave to whoever captures at its other end on this kernel, by ethtool's names.
 * Asked of a socket that receives nothing and changes nothing about the interface.
 *
 * @param captureInterface index in the thread's network namespace; it has to be up
 * @throws SystemError
 */
export function captureOffloads(captureInterface: number): readonly string[] {
  const descriptor = openSocket(AF_PACKET, SOCK_RAW, 0, "to ask for offloads");
  try {
    askForOffloads(descriptor);
    if (!hasOffloads(descriptor)) return [];
    bindSocket(descriptor, sockaddrLl(captureInterface, 0), `interface ${captureInterface}`);
    return takesUdpSuperFrames(descriptor)
      ? [...describedOffloads, describedUdpOffload]
      : describedOffloads;
  } finally {
    closeDescriptor(descriptor);
  }
}
