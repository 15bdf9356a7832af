import { isSystemError } from "../../ffi/system-error.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { type Cidr, equalIp, formatCidr } from "../base/ip.ts";
import type { Log } from "../base/world.ts";
import { hostInterfaceName } from "./attachment-name.ts";
import { announceAddresses } from "./gratuitous-arp.ts";
import { filterMulticast, multicastGroups, stopFilteringMulticast } from "./multicast-filter.ts";
import { addAddress, deleteAddress, listAddresses } from "./netlink/address.ts";
import type { Netlink } from "./netlink/conversation.ts";
import type { Link } from "./netlink/link.ts";
import * as links from "./netlink/link.ts";
import { namespaceId } from "./netlink/namespace-id.ts";
import { openNetfilter, openRoute } from "./netlink/open.ts";
import { addRoute } from "./netlink/route.ts";
import type { NetworkNamespace } from "./netns.ts";
import {
  checkNeighboursOften,
  keepSecondaryAddresses,
  refuseRouterAdvertisements,
} from "./sysctl.ts";
import { Undo } from "./undo.ts";

/** The name that containers see. */
export const defaultGuestInterface = "ethwe";

/** How long the kernel may take to let frames pass after an interface was put up. */
const readyTriesMax = 50;
const readyPauseMs = 1;

/** A container's place on the overlay, for {@link attachContainer} and {@link detachContainer}. */
export interface AttachTarget {
  /** Goes into the host end's alias and decides its name. */
  readonly ident: string;
  readonly namespace: NetworkNamespace;
  readonly bridgeName: string;
  /** Default {@link defaultGuestInterface}. */
  readonly guestInterface?: string;
  readonly log: Log;
}

export interface AttachOptions {
  readonly addresses: readonly Cidr[];
  /** Whether all multicast groups are routed to the overlay. */
  readonly multicastRoute: boolean;
  /** Whether the container may talk to itself through the bridge. Default true. */
  readonly hairpin?: boolean;
  /** Default: the bridge's. */
  readonly mtu?: number;
  /** What a new host end is called, unless that name is taken. Default: made of the ident. */
  readonly hostInterface?: string;
}

/** A container's interface after a change. */
export interface AttachedInterface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  /** The end at the bridge. */
  readonly host: { readonly name: string; readonly mac: string };
  /** Every address it has now. */
  readonly addresses: readonly Cidr[];
  /** Those of the addresses asked for that were not there before. */
  readonly added: readonly Cidr[];
}

/**
 * Gives a container an interface on the bridge, or more addresses on the one it has. Whatever goes
 * wrong, the container and the host are afterwards as they were before.
 *
 * @throws WeaveError `BRIDGE_MISSING`, `ATTACH_NAME_TAKEN`, `ATTACH_FAILED`
 */
export function attachContainer(target: AttachTarget, options: AttachOptions): AttachedInterface {
  using attaching = new Attaching(target);
  try {
    return attaching.run(options);
  } catch (cause) {
    attaching.rollBack();
    if (cause instanceof WeaveError) throw cause;
    throw new WeaveError("ATTACH_FAILED", `cannot attach ${target.ident}: ${errorText(cause)}`, {
      remedy: "nothing was changed; see the cause, then try again",
      cause,
    });
  }
}

class Attaching implements Disposable {
  readonly #target: AttachTarget;
  readonly #guestName: string;
  readonly #host: Netlink;
  readonly #guest: Netlink;
  readonly #undo = new Undo();

  constructor(target: AttachTarget) {
    this.#target = target;
    this.#guestName = target.guestInterface ?? defaultGuestInterface;
    this.#host = openRoute();
    this.#guest = openRoute(target.namespace);
  }

  [Symbol.dispose](): void {
    this.#host.close();
    this.#guest.close();
  }

  rollBack(): void {
    this.#undo.rollBack(this.#target.log);
  }

  run(options: AttachOptions): AttachedInterface {
    const bridge = findBridge(this.#host, this.#target.bridgeName);
    const ends = this.#existing(bridge) ?? this.#create(bridge, options);
    const before = addressesOf(this.#guest, ends.guest.index);
    const added = this.#addAddresses(ends.guest, options.addresses);
    if (added.length > 0) this.#filterMulticast(ends.guest, before);
    links.changeLink(this.#host, ends.host.index, { up: true, hairpin: options.hairpin ?? true });
    links.changeLink(this.#guest, ends.guest.index, { up: true });
    waitUntilOperational(this.#host, ends.host.index);
    waitUntilOperational(this.#guest, ends.guest.index);
    this.#target.namespace.run(() => announceAddresses(ends.guest, added));
    // Programs that wait for the network take this route as the sign that all is done.
    if (options.multicastRoute) {
      addRoute(this.#guest, {
        destination: multicastGroups,
        interfaceIndex: ends.guest.index,
      });
    }
    return {
      name: this.#guestName,
      mac: ends.guest.mac,
      mtu: ends.guest.mtu,
      host: { name: ends.host.name, mac: ends.host.mac },
      addresses: addressesOf(this.#guest, ends.guest.index),
      added,
    };
  }

  #existing(bridge: Link): Ends | undefined {
    const guest = links.findLink(this.#guest, { name: this.#guestName });
    if (guest === undefined) return undefined;
    const host =
      guest.peer === undefined ? undefined : links.findLink(this.#host, { index: guest.peer });
    const id = namespaceId(this.#host, this.#target.namespace.descriptor);
    if (
      host?.peer === guest.index &&
      host.peerNamespace === id &&
      (host.master === bridge.index || host.master === undefined)
    ) {
      if (host.master === undefined) {
        links.changeLink(this.#host, host.index, { master: bridge.index });
      }
      return { host, guest };
    }
    throw new WeaveError(
      "ATTACH_NAME_TAKEN",
      `${this.#target.ident} has an interface ${guest.name} that does not lead to bridge ${bridge.name}`,
      { remedy: `rename or remove ${guest.name} in the container and attach again` },
    );
  }

  #create(bridge: Link, options: AttachOptions): Ends {
    const isTaken = (name: string) => links.findLink(this.#host, { name }) !== undefined;
    const wanted = options.hostInterface;
    const hostName =
      wanted !== undefined && !isTaken(wanted)
        ? wanted
        : hostInterfaceName(this.#target.ident, isTaken);
    const mtu = options.mtu ?? bridge.mtu;
    links.createVeth(
      this.#host,
      { name: hostName, mtu, master: bridge.index },
      { name: this.#guestName, mtu, namespaceDescriptor: this.#target.namespace.descriptor },
    );
    const host = need(links.findLink(this.#host, { name: hostName }), hostName);
    this.#undo.push(`interface ${hostName}`, () => links.deleteLink(this.#host, host.index));
    links.changeLink(this.#host, host.index, { alias: this.#target.ident });
    refuseRouterAdvertisements(hostName);
    this.#target.namespace.run(() => {
      refuseRouterAdvertisements(this.#guestName);
      checkNeighboursOften(this.#guestName);
      keepSecondaryAddresses(this.#guestName);
    });
    const guest = need(links.findLink(this.#guest, { name: this.#guestName }), this.#guestName);
    return { host, guest };
  }

  #addAddresses(guest: Link, addresses: readonly Cidr[]): Cidr[] {
    const added: Cidr[] = [];
    for (const cidr of addresses) {
      if (!addAddress(this.#guest, guest.index, cidr)) continue;
      added.push(cidr);
      this.#undo.push(`address ${formatCidr(cidr)}`, () =>
        deleteAddress(this.#guest, guest.index, cidr),
      );
    }
    return added;
  }

  #filterMulticast(guest: Link, before: readonly Cidr[]): void {
    const { namespace, log } = this.#target;
    if (!setMulticastFilter(namespace, guest.name, addressesOf(this.#guest, guest.index), log)) {
      return;
    }
    this.#undo.push("multicast filter", () =>
      setMulticastFilter(namespace, guest.name, before, log),
    );
  }
}

interface Ends {
  readonly host: Link;
  readonly guest: Link;
}

/** A container's interface after {@link detachContainer}. */
export interface DetachResult {
  /** Those of the addresses given that were there. */
  readonly removed: readonly Cidr[];
  /** Whether the interface went with its last address. */
  readonly interfaceRemoved: boolean;
}

/**
 * Takes addresses away from a container, and with the last one its interface. Addresses that it
 * does not have are passed over, and so is a container without interface.
 *
 * @throws WeaveError `DETACH_FAILED`
 */
export function detachContainer(target: AttachTarget, addresses: readonly Cidr[]): DetachResult {
  using guest = openRoute(target.namespace);
  const name = target.guestInterface ?? defaultGuestInterface;
  try {
    const link = links.findLink(guest, { name });
    if (link === undefined) return { removed: [], interfaceRemoved: false };
    target.namespace.run(() => keepSecondaryAddresses(name));
    const removed = addresses.filter((cidr) => deleteAddress(guest, link.index, cidr));
    const left = addressesOf(guest, link.index);
    setMulticastFilter(target.namespace, name, left, target.log);
    if (left.length > 0) return { removed, interfaceRemoved: false };
    return { removed, interfaceRemoved: links.deleteLink(guest, link.index) };
  } catch (cause) {
    throw new WeaveError("DETACH_FAILED", `cannot detach ${target.ident}: ${errorText(cause)}`, {
      remedy: "see the cause, then try again: detaching goes on where it stopped",
      cause,
    });
  }
}

/** Addresses of an interface that lead beyond its link. */
export function addressesOf(netlink: Netlink, interfaceIndex: number, namespace?: number): Cidr[] {
  const scopeUniverse = 0;
  return listAddresses(netlink, { interfaceIndex, ...(namespace !== undefined && { namespace }) })
    .filter(({ scope }) => scope === scopeUniverse)
    .map(({ cidr }) => cidr);
}

/** @throws WeaveError `BRIDGE_MISSING` */
export function findBridge(netlink: Netlink, name: string): Link {
  const bridge = links.findLink(netlink, { name });
  if (bridge?.kind === "bridge") return bridge;
  throw new WeaveError("BRIDGE_MISSING", `bridge "${name}" not present; did you launch weave?`, {
    remedy: "run 'weave launch'",
  });
}

/** Whether `cidrs` holds this address with this prefix length. */
export function includesCidr(cidrs: readonly Cidr[], wanted: Cidr): boolean {
  return cidrs.some(
    ({ address, prefix }) => prefix === wanted.prefix && equalIp(address, wanted.address),
  );
}

/** False, and a note in the log, when the kernel cannot filter: subnets then hear each other. */
function setMulticastFilter(
  namespace: NetworkNamespace,
  interfaceName: string,
  addresses: readonly Cidr[],
  log: Log,
): boolean {
  try {
    using netfilter = openNetfilter(namespace);
    if (addresses.length === 0) stopFilteringMulticast(netfilter);
    else filterMulticast(netfilter, interfaceName, addresses);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn(`multicast from foreign subnets is not kept out of a container: ${error.message}`);
    return false;
  }
}

function waitUntilOperational(netlink: Netlink, index: number): void {
  // The kernel activates an interface a moment after both its ends are up.
  for (let left = readyTriesMax; left > 0; left--) {
    if (need(links.findLink(netlink, { index }), `interface ${index}`).operational) return;
    Bun.sleepSync(readyPauseMs);
  }
}

function need(link: Link | undefined, name: string): Link {
  if (link !== undefined) return link;
  throw new WeaveError("ATTACH_FAILED", `interface ${name} vanished while it was set up`, {
    remedy: "check whether the container is still running",
  });
}
