import { WeaveError } from "../base/errors.ts";
import type { DeviceNames } from "./device-names.ts";
import type { Link } from "./netlink/link.ts";

/**
 * How frames get from containers to the overlay and back (host-network §1):
 *
 *   bridge            containers ─ Linux bridge ─ veth pair ─ captured by the router
 *   bridged_fastdp    containers ─ Linux bridge ─ veth pair ─ kernel datapath
 *   fastdp            containers ─ kernel datapath
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

/** A decision with its reason, for the log and for status. */
export interface WiringChoice {
  readonly wiring: Wiring;
  readonly reason: string;
}

/**
 * Decides by what is asked for, what the kernel can do and what stands already. A kernel without
 * datapath leads to `bridge` at the first start and at every later one.
 *
 * @throws WeaveError `WIRING_DIFFERS` when what stands cannot serve what is asked for
 */
export function chooseWiring(options: {
  readonly requested: Wiring;
  readonly existing: Wiring | undefined;
  readonly datapathSupported: boolean;
}): WiringChoice {
  const { requested, existing, datapathSupported } = options;
  const wiring = datapathSupported ? requested : "bridge";
  if (existing !== undefined && existing !== wiring) {
    throw new WeaveError(
      "WIRING_DIFFERS",
      `Existing bridge type "${existing}" is different than requested "${wiring}". ` +
        "Please do 'weave reset' and try again",
      { remedy: "run 'weave reset' and launch again" },
    );
  }
  if (wiring === requested) return { wiring, reason: "as requested" };
  return {
    wiring,
    reason: `the kernel has no Open vSwitch datapath, so "${requested}" is not possible`,
  };
}
