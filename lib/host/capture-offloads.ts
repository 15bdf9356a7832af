import { closeDescriptor } from "../../ffi/descriptor.ts";
import { describedOffloads, describedUdpOffload } from "./interface-offloads.ts";
import { hasOffloads, openPacketSocket } from "./packet-socket.ts";
import { takesUdpSuperFrames } from "./udp-super-frames.ts";

const bufferBytes = 4096;

/**
 * What the tap may leave to whoever captures at its other end on this kernel, by ethtool's names.
 *
 * @param captureInterface index in the thread's network namespace; it has to be up
 * @throws WeaveError `CAPTURE_FAILED`
 */
export function captureOffloads(captureInterface: number): readonly string[] {
  const descriptor = openPacketSocket(captureInterface, bufferBytes);
  try {
    if (!hasOffloads(descriptor)) return [];
    return takesUdpSuperFrames(descriptor)
      ? [...describedOffloads, describedUdpOffload]
      : describedOffloads;
  } finally {
    closeDescriptor(descriptor);
  }
}
