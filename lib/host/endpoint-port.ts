import { isSystemError } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Cidr, Ipv4Cidr } from "../base/ip.ts";
import { findBridge } from "./attach.ts";
import { endpointEnds, isEndpointPort } from "./device-names.ts";
import { announceAddresses } from "./gratuitous-arp.ts";
import type { Netlink } from "./netlink/conversation.ts";
import * as links from "./netlink/link.ts";
import { openRoute } from "./netlink/open.ts";
import { guardSubnet, isGuarded } from "./subnet-guard.ts";
import { refuseRouterAdvertisements } from "./sysctl.ts";

/**
 * Endpoints of a container engine's networks. The engine takes the far end into the container,
 * names it and gives it its address; the near one is a port of our bridge:
 *
 *   container ─ ethwe0 ═══ vethwl‹id› ─ [ weave ]
 */
export interface EndpointRequest {
  /** As the engine has it; its first nine characters make the names. */
  readonly id: string;
  /** Six octets; missing for one that the kernel makes up. */
  readonly mac?: Uint8Array;
  /** What is at the endpoint may deal with this subnet and no other; missing for all. */
  readonly within?: Ipv4Cidr;
}

/** An endpoint whose ends stand. */
export interface EndpointPort {
  /** Name of the end that the engine is to take. */
  readonly farEnd: string;
  /** Of the far end, `8a:3e:…`. */
  readonly mac: string;
  /** Why it deals with all subnets though it should not; missing when it does as it should. */
  readonly unguarded?: string;
}

/**
 * Makes the pair of an endpoint, in the place of one that a dead engine has left.
 *
 * @throws WeaveError `BRIDGE_MISSING`, `ENDPOINT_FAILED`
 */
export function createEndpointPort(bridgeName: string, request: EndpointRequest): EndpointPort {
  using netlink = openRoute();
  const bridge = findBridge(netlink, bridgeName);
  const { near, far } = endpointEnds(request.id);
  deletePair(netlink, near);
  try {
    const { mtu } = bridge;
    links.createVeth(
      netlink,
      { name: near, mtu, master: bridge.index },
      { name: far, mtu, ...(request.mac !== undefined && { mac: request.mac }) },
    );
    const port = need(netlink, near);
    // Before the first frame can pass.
    const unguarded = request.within && whyUnguarded(netlink, port.index, request.within);
    for (const name of [near, far]) refuseRouterAdvertisements(name);
    links.changeLink(netlink, port.index, { up: true, hairpin: true });
    const { mac } = need(netlink, far);
    return { farEnd: far, mac, ...(unguarded !== undefined && { unguarded }) };
  } catch (cause) {
    deletePair(netlink, near);
    throw new WeaveError(
      "ENDPOINT_FAILED",
      `cannot plug endpoint ${request.id.slice(0, 12)} into ${bridgeName}: ${errorText(cause)}`,
      { remedy: "nothing was changed; see the cause, then start the container again", cause },
    );
  }
}

/**
 * Keeps an endpoint within its subnet again when somebody has taken away what does. Whether there
 * was anything to do. @throws SystemError
 */
export function mendEndpointGuard(id: string, within: Ipv4Cidr): boolean {
  using netlink = openRoute();
  const port = links.findLink(netlink, { name: endpointEnds(id).near });
  if (port === undefined || isGuarded(netlink, port.index)) return false;
  guardSubnet(netlink, port.index, within);
  return true;
}

/** A kernel that takes no programs still carries frames. */
function whyUnguarded(netlink: Netlink, port: number, within: Ipv4Cidr): string | undefined {
  try {
    guardSubnet(netlink, port, within);
    return undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return `the kernel refuses the program for it: ${error.message}`;
  }
}

/** Removes the pair of an endpoint, wherever its far end is. False when there was none. */
export function removeEndpointPort(id: string): boolean {
  using netlink = openRoute();
  return deletePair(netlink, endpointEnds(id).near);
}

/** Names of the near ends that stand, made by us or by the original. */
export function endpointPorts(): ReadonlySet<string> {
  using netlink = openRoute();
  return new Set(
    links.listLinks(netlink).flatMap(({ name }) => (isEndpointPort(name) ? name : [])),
  );
}

/**
 * Says on the network where an endpoint's address is, so that neighbours that knew it elsewhere
 * notice. To be called before the engine takes the far end. False when there is no far end here.
 */
export function announceEndpoint(bridgeName: string, id: string, cidr: Cidr): boolean {
  using netlink = openRoute();
  const far = links.findLink(netlink, { name: endpointEnds(id).far });
  if (far === undefined) return false;
  const { index, name } = findBridge(netlink, bridgeName);
  announceAddresses({ index, name, mac: far.mac }, [cidr]);
  return true;
}

/** Notes at an endpoint's port whose it is, for whoever lists what is on the bridge. */
export function labelEndpointPort(id: string, owner: string): void {
  using netlink = openRoute();
  const port = links.findLink(netlink, { name: endpointEnds(id).near });
  if (port !== undefined && port.alias !== owner) {
    links.changeLink(netlink, port.index, { alias: owner });
  }
}

function deletePair(netlink: Netlink, near: string): boolean {
  const port = links.findLink(netlink, { name: near });
  return port?.kind === "veth" && links.deleteLink(netlink, port.index);
}

function need(netlink: Netlink, name: string): links.Link {
  const found = links.findLink(netlink, { name });
  if (found !== undefined) return found;
  throw new WeaveError("ENDPOINT_FAILED", `interface ${name} vanished while it was set up`);
}
