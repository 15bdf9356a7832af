import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { AF_PACKET, openSocket, SOCK_RAW, socketName } from "../../../../ffi/socket.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { readUint16 } from "../../../base/bytes.ts";
import { errorText, WeaveError } from "../../../base/errors.ts";
import { type Hooks, openHooks } from "../../bpf/hooks.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import { deleteLink, findLink } from "../../netlink/link.ts";
import { openRoute } from "../../netlink/open.ts";
import { createVxlan } from "../../netlink/vxlan.ts";
import { askForMarks } from "../../packet-socket.ts";
import { openUdpSocket } from "../../udp-socket.ts";
import type { DatapathBackend, DatapathOptions, HostDatapath } from "../backend.ts";
import { EbpfDatapath } from "./ebpf-datapath.ts";
import { removeDevices } from "./ebpf-devices.ts";
import { removeGate } from "./lane-gate.ts";
import { takesPrograms } from "./program-set.ts";

/** Of the device that is made to see what the kernel can do, and removed again. */
const probeName = "weave-probe";
const probeBufferBytes = 1 << 12;

/** Programs of ours in a kernel that has no datapath of its own, or a slower one. */
export const ebpfBackend = ebpfBackendBy(openHooks);

/** The same with programs put at devices in one way, whatever else the kernel knows. */
export function ebpfBackendBy(hooksOf: (netlink: Netlink) => Hooks): DatapathBackend {
  return {
    name: "ebpf",

    refusal(): string | undefined {
      try {
        using netlink = openRoute();
        if (!takesPrograms() || !tellsMarks()) return "the kernel is older than Linux 5.19";
        return probeVxlan(netlink);
      } catch (error) {
        return refusalText(error);
      }
    },

    open(options: DatapathOptions): HostDatapath {
      try {
        return new EbpfDatapath(options, hooksOf);
      } catch (cause) {
        this.remove(options.names);
        if (cause instanceof WeaveError) throw cause;
        throw new WeaveError("FASTDP_FAILED", `cannot set up the datapath: ${errorText(cause)}`, {
          cause,
        });
      }
    },

    remove(): readonly string[] {
      removeGate();
      using netlink = openRoute();
      return removeDevices(netlink);
    },
  };
}

/** Whether sleeve's worker can be told whose a frame is. */
function tellsMarks(): boolean {
  const descriptor = openSocket(AF_PACKET, SOCK_RAW, 0, "to ask for marks");
  try {
    return askForMarks(descriptor);
  } finally {
    closeDescriptor(descriptor);
  }
}

/** Makes a device that takes any VNI, at a port that nobody uses. */
function probeVxlan(netlink: Netlink): string | undefined {
  const descriptor = openUdpSocket(0, 0, probeBufferBytes);
  const port = readUint16(socketName(descriptor), 2);
  closeDescriptor(descriptor);
  try {
    createVxlan(netlink, { name: probeName }, { kind: "external", port });
  } catch (error) {
    if (!isSystemError(error, "EOPNOTSUPP", "EINVAL")) throw error;
    return "the kernel has no VXLAN devices, or none that take any VNI";
  }
  const link = findLink(netlink, { name: probeName });
  if (link !== undefined) deleteLink(netlink, link.index);
  return undefined;
}

function refusalText(error: unknown): string {
  if (isSystemError(error, "EPERM")) return "this process may not load programs (CAP_BPF)";
  if (isSystemError(error, "ENOSYS")) return "the kernel has no bpf system call";
  return errorText(error);
}
