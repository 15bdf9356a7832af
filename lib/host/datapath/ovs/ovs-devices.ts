import { WeaveError } from "../../../base/errors.ts";
import { captureOffloads } from "../../capture-offloads.ts";
import type { DeviceNames } from "../../device-names.ts";
import { keepOffloads } from "../../interface-offloads.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import type { Link } from "../../netlink/link.ts";
import * as links from "../../netlink/link.ts";
import { refuseRouterAdvertisements } from "../../sysctl.ts";

/** Our end of the pair whose other end is a port of the bridge, as the original names it. */
export const bridgeSideName = "vethwe-datapath";
/** Our end of the pair whose other end is where sleeve's worker captures. */
export const sleeveSideName = "vethwe-handover";
/** Tells it from the one of that name by which the eBPF datapath meets sleeve. */
const sleeveSideAlias = "weave openvswitch datapath: to sleeve";

/** The pairs through which frames come into the datapath and leave it. */
export interface OvsPairs {
  /** Index of the capture interface. */
  readonly handoverPort: number;
  /** What had to be made or mended, one sentence each. */
  readonly mended: readonly string[];
}

/**
 * Makes or mends what lies around the datapath:
 *
 *   [ bridge ] ─ vethwe-bridge ═ vethwe-datapath ─ [ datapath ] ─ vethwe-handover ═ vethwe-pcap
 *
 * @throws SystemError
 */
export function preparePairs(
  netlink: Netlink,
  options: { readonly names: DeviceNames; readonly bridge: number; readonly mtu: number },
): OvsPairs {
  const { names, bridge, mtu } = options;
  const mended: string[] = [];
  const near = preparePair(netlink, [bridgeSideName, names.tap], mended);
  settle(netlink, near[0], { mtu, master: undefined }, mended);
  settle(netlink, near[1], { mtu, master: bridge }, mended);
  const far = preparePair(netlink, [sleeveSideName, names.capture], mended);
  settle(netlink, far[0], { mtu, master: undefined }, mended);
  settle(netlink, far[1], { mtu, master: undefined }, mended);
  keepOffloads(sleeveSideName, captureOffloads(far[1].index));
  return { handoverPort: far[1].index, mended };
}

function preparePair(
  netlink: Netlink,
  names: readonly [string, string],
  mended: string[],
): [Link, Link] {
  const [ours, other] = names.map((name) => links.findLink(netlink, { name }));
  if (ours !== undefined && other !== undefined && isOurs(ours) && ours.peer === other.index) {
    return [ours, other];
  }
  // The other end of either may go with it.
  for (const name of names) {
    const stray = links.findLink(netlink, { name });
    if (stray !== undefined) links.deleteLink(netlink, stray.index);
  }
  links.createVeth(netlink, { name: names[0] }, { name: names[1] });
  if (names[0] === sleeveSideName) {
    links.changeLink(netlink, get(netlink, sleeveSideName).index, { alias: sleeveSideAlias });
  }
  mended.push(`made ${names[0]} and ${names[1]}`);
  return [get(netlink, names[0]), get(netlink, names[1])];
}

/** `master`: of the bridge; `undefined` leaves alone what the datapath has as its port. */
function settle(
  netlink: Netlink,
  link: Link,
  wanted: { readonly mtu: number; readonly master: number | undefined },
  mended: string[],
): void {
  const isPlugged = wanted.master === undefined || link.master === wanted.master;
  if (link.mtu !== wanted.mtu || !link.up || !isPlugged) {
    const master = wanted.master === undefined ? {} : { master: wanted.master };
    links.changeLink(netlink, link.index, { mtu: wanted.mtu, up: true, ...master });
    mended.push(`set up ${link.name}`);
  }
  if (link.hairpin) {
    // The datapath would get its own frames back.
    links.changeLink(netlink, link.index, { hairpin: false });
    mended.push(`switched off hairpin mode on ${link.name}`);
  }
  refuseRouterAdvertisements(link.name);
}

/** Our end of a pair of ours. */
function isOurs(link: Link): boolean {
  if (link.kind !== "veth") return false;
  return link.name === bridgeSideName || link.alias === sleeveSideAlias;
}

function get(netlink: Netlink, name: string): Link {
  const link = links.findLink(netlink, { name });
  if (link !== undefined) return link;
  throw new WeaveError("BRIDGE_FAILED", `interface ${name} vanished while it was set up`, {
    remedy: "look for another program that manages this host's interfaces",
  });
}

/** Removes the pairs; returns the names of what was there. @throws SystemError */
export function removePairs(netlink: Netlink, names: DeviceNames): string[] {
  const pairs = [
    [bridgeSideName, names.tap],
    [sleeveSideName, names.capture],
  ] as const;
  return pairs.flatMap(([name, other]) => {
    const ours = links.findLink(netlink, { name });
    if (ours === undefined || !isOurs(ours)) return [];
    return links.deleteLink(netlink, ours.index) ? [name, other] : [];
  });
}
