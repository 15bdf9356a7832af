import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { socketName } from "../../../../ffi/socket.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { readUint16 } from "../../../base/bytes.ts";
import { errorText, WeaveError } from "../../../base/errors.ts";
import type { DeviceNames } from "../../device-names.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import { findLink } from "../../netlink/link.ts";
import { openRoute } from "../../netlink/open.ts";
import { openUdpSocket } from "../../udp-socket.ts";
import type { DatapathBackend, DatapathOptions, HostDatapath } from "../backend.ts";
import { Odp } from "./odp.ts";
import { OvsDatapath } from "./ovs-datapath.ts";
import { removePairs } from "./ovs-devices.ts";
import { vxlanName } from "./ovs-ports.ts";

/** Of the datapath that is made to see what the module can do, and removed again. */
const probeName = "weave-probe";

const probeBufferBytes = 1 << 12;

/** The openvswitch module of the kernel, which the original uses. */
export const ovsBackend: DatapathBackend = {
  name: "ovs",

  refusal(): string | undefined {
    try {
      using odp = new Odp();
      return probe(odp);
    } catch (error) {
      return errorText(error);
    }
  },

  open(options: DatapathOptions): HostDatapath {
    try {
      return new OvsDatapath(options);
    } catch (cause) {
      ovsBackend.remove(options.names);
      if (cause instanceof WeaveError) throw cause;
      throw new WeaveError("FASTDP_FAILED", `cannot set up the datapath: ${errorText(cause)}`, {
        cause,
      });
    }
  },

  remove(names: DeviceNames): readonly string[] {
    using netlink = openRoute();
    return [...removeDatapath(netlink, names.datapath), ...removePairs(netlink, names)];
  },
};

/**
 * Makes a VXLAN port at a UDP port that is taken: where the kernel knows such ports, it says that
 * this one is taken, and nothing has been made.
 */
function probe(odp: Odp): string | undefined {
  const datapath = odp.openDatapath(probeName);
  const taken = openUdpSocket(0, 0, probeBufferBytes);
  try {
    const udpPort = readUint16(socketName(taken), 2);
    odp.addVxlan(datapath, vxlanName(udpPort), udpPort);
    return undefined;
  } catch (error) {
    if (!isSystemError(error, "EAFNOSUPPORT")) return undefined;
    return "the kernel's openvswitch module has no VXLAN ports (vport-vxlan)";
  } finally {
    closeDescriptor(taken);
    odp.deleteDatapath(datapath);
  }
}

function removeDatapath(netlink: Netlink, name: string): string[] {
  // Whoever asks the module loads it.
  if (findLink(netlink, { name })?.kind !== "openvswitch") return [];
  using odp = new Odp();
  const datapath = odp.findDatapath(name);
  if (datapath === undefined) return [];
  odp.deleteDatapath(datapath);
  return [name];
}
