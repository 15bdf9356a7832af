import { WeaveError } from "../base/errors.ts";
import type { DeviceNames } from "./device-names.ts";
import type { Link } from "./netlink/link.ts";

/**
 * How frames get from containers to the overlay and back (host-network §1):
 *
 *   bridge            containers ─ Linux bridge ─ veth pair ─ captured by the router
 *                     or the same bridge with the port of our eBPF datapath
 *   bridged_fastdp    containers ─ Linux bridge ─ veth pair ─ Open vSwitch datapath
 *   fastdp            containers ─ Open vSwitch datapath; of the original only
 */
export type Wiring = "bridge" | "bridged_fastdp" | "fastdp";

/**
 * What stands on the host; `undefined` when nothing does.
 *
 * @throws WeaveError `WIRING_INCONSISTENT` naming the devices that do not go together
 */
export function detectWiring(
  links: readonly Pick<Link, "name" | "kind">[],
  names: DeviceNames,
): Wiring | undefined {
  const bridge = links.find(({ name }) => name === names.bridge);
  const datapath = links.find(({ name }) => name === names.datapath);
  if (bridge === undefined && datapath === undefined) return undefined;
  if (bridge?.kind === "bridge" && datapath === undefined) return "bridge";
  if (bridge?.kind === "openvswitch" && datapath === undefined) return "fastdp";
  if (bridge?.kind === "bridge" && datapath?.kind === "openvswitch") return "bridged_fastdp";
  const found = [bridge, datapath]
    .flatMap((link) => (link === undefined ? [] : `${link.name} (${link.kind || "hardware"})`))
    .join(" and ");
  throw new WeaveError(
    "WIRING_INCONSISTENT",
    `Inconsistent bridge state detected: found ${found}. Please do 'weave reset' and try again`,
    { remedy: "run 'weave reset'; if another program owns the device, choose other device names" },
  );
}

/** Datapaths that may be tried, best first. */
export type DatapathName = "ebpf" | "ovs";

/**
 * Which datapaths may carry frames here, best first, by what is asked for and what stands already:
 * none for `bridge`. The captured wiring gives way to any datapath; one that stands is kept, and
 * devices that serve nothing of what is asked for are not taken over silently.
 *
 * @throws WeaveError `WIRING_DIFFERS`
 */
export function possibleDatapaths(
  requested: Wiring,
  existing: Wiring | undefined,
): readonly DatapathName[] {
  if (existing === "fastdp" || (existing === "bridged_fastdp" && requested === "bridge")) {
    throw wiringDiffers(existing, requested);
  }
  if (requested === "bridge") return [];
  return existing === "bridged_fastdp" ? ["ovs"] : ["ebpf", "ovs"];
}

function wiringDiffers(existing: Wiring, requested: Wiring): WeaveError {
  return new WeaveError(
    "WIRING_DIFFERS",
    `Existing bridge type "${existing}" is different than requested "${requested}". ` +
      "Please do 'weave reset' and try again",
    { remedy: "run 'weave reset' and launch again" },
  );
}
