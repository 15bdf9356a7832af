import { WeaveError } from "../base/errors.ts";
import { joinEnds, type PairEnds } from "./device-names.ts";
import type { Netlink } from "./netlink/conversation.ts";
import type { Link } from "./netlink/link.ts";
import * as links from "./netlink/link.ts";

/**
 * Joins another bridge of this host with ours, so that what is at it is on the network as well:
 *
 *   [ weave ] ─ vethwebl‹bridge› ═══ vethwebg‹bridge› ─ [ docker0 ]
 *
 * Returns whether anything had to be done for that. Acts on the namespace of `netlink`.
 *
 * @throws WeaveError `BRIDGE_MISSING`, `BRIDGE_UNKNOWN`, `BRIDGE_NAME`; SystemError
 */
export function joinBridge(netlink: Netlink, ourName: string, otherName: string): boolean {
  const ours = links.findLink(netlink, { name: ourName });
  if (ours?.kind !== "bridge") {
    throw new WeaveError(
      "BRIDGE_MISSING",
      "Weave bridge not found. Please run 'weave launch' and try again",
    );
  }
  const other = links.findLink(netlink, { name: otherName });
  if (other?.kind !== "bridge" || other.index === ours.index) {
    throw new WeaveError("BRIDGE_UNKNOWN", `there is no other bridge named "${otherName}" here`, {
      remedy: "'ip link show type bridge' lists the bridges of this host",
    });
  }
  const ends = joinEnds(otherName);
  if (ends === undefined) {
    throw new WeaveError("BRIDGE_NAME", `the name "${otherName}" is too long for its port`, {
      remedy: "give the bridge a name of at most 7 characters",
    });
  }
  if (stands(netlink, ends, ours, other)) return false;
  makePair(netlink, ends, ours, other);
  return true;
}

function stands(netlink: Netlink, { near, far }: PairEnds, ours: Link, other: Link): boolean {
  const [one, two] = [near, far].map((name) => links.findLink(netlink, { name }));
  return (
    one?.master === ours.index &&
    two?.master === other.index &&
    one.peer === two.index &&
    one.up &&
    two.up
  );
}

function makePair(netlink: Netlink, { near, far }: PairEnds, ours: Link, other: Link): void {
  for (const name of [near, far]) {
    const link = links.findLink(netlink, { name });
    if (link !== undefined) links.deleteLink(netlink, link.index);
  }
  const { mtu } = ours;
  links.createVeth(netlink, { name: near, mtu }, { name: far, mtu, mac: humbleMac(ours) });
  for (const [name, { index: master }] of [
    [near, ours],
    [far, other],
  ] as const) {
    const link = links.findLink(netlink, { name });
    if (link !== undefined) links.changeLink(netlink, link.index, { master, up: true });
  }
}

/**
 * A bridge takes the lowest MAC of its ports for its own, unless it was given one, and all neighbours
 * that it was told of are forgotten when that changes: so its port has one above those that the
 * kernel draws, of which one in 64 begins with fe as well.
 */
function humbleMac(ours: Link): Uint8Array {
  const mac = links.macBytes(ours);
  mac.set([0xfe, 0xff]);
  return mac;
}
