import { isSystemError } from "../../../../ffi/system-error.ts";
import { WeaveError } from "../../../base/errors.ts";
import { captureOffloads } from "../../capture-offloads.ts";
import type { DeviceNames } from "../../device-names.ts";
import { keepOffloads } from "../../interface-offloads.ts";
import { changeBridgePort } from "../../netlink/bridge-port.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import type { Link, LinkSettings } from "../../netlink/link.ts";
import * as links from "../../netlink/link.ts";
import { createVxlan, vxlanOf } from "../../netlink/vxlan.ts";
import { setSysctl } from "../../sysctl.ts";

/**
 * The devices of this datapath:
 *
 *   [ bridge ] ─ vethwe-bridge            VXLAN device of our own port: the uplink
 *            └─ vethwe-n‹short id›        lanes, one per neighbour (see lanes.ts)
 *                vethwe-p‹port›           VXLAN devices of neighbours' other ports
 *                vethwe-handover ═ vethwe-pcap    the pair to sleeve
 *
 * What a device is for stands in its alias, so that another program's is never taken for ours.
 */
export const handoverName = "vethwe-handover";
const portPrefix = "vethwe-p";
const aliasPrefix = "weave fast datapath: ";

export interface DeviceOptions {
  readonly names: DeviceNames;
  readonly bridge: number;
  readonly mtu: number;
  readonly port: number;
}

export function portDeviceName(port: number): string {
  return `${portPrefix}${port}`;
}

export type DeviceRole = "vxlan" | "handover";

/** Makes devices or mends them; keeps account of what had to be done. */
export class EbpfDevices {
  readonly #netlink: Netlink;
  readonly #options: DeviceOptions;
  /** Puts programs at a device, which is not yet up when it was made just now; whether one was missing. */
  readonly #equip: (device: number, role: DeviceRole) => boolean;
  #bridge: number;
  #mended: string[] = [];
  uplink = 0;
  /** Our end of the pair to sleeve, and the worker's. */
  handover = 0;
  handoverPort = 0;
  /** VXLAN devices of other ports than our own, by port. */
  readonly ports = new Map<number, number>();

  constructor(
    netlink: Netlink,
    options: DeviceOptions,
    equip: (device: number, role: DeviceRole) => boolean,
  ) {
    this.#netlink = netlink;
    this.#equip = equip;
    this.#options = options;
    this.#bridge = options.bridge;
  }

  get bridge(): number {
    return this.#bridge;
  }

  /** Sentences since this was last asked. */
  takeMended(): string[] {
    return this.#mended.splice(0);
  }

  /** Uplink, pair and the devices of ports that were there before. @throws WeaveError, SystemError */
  prepare(bridge: number): void {
    this.#bridge = bridge;
    const { names, port, mtu } = this.#options;
    this.#pair(names.capture);
    this.uplink = this.#vxlan(names.tap, port, bridge);
    this.#settleUplink();
    for (const other of this.#portsThatStand()) this.#preparePort(other);
    for (const index of [this.handover, this.handoverPort]) {
      const link = this.#byIndex(index);
      if (link.mtu === mtu && link.up && link.master === undefined) continue;
      links.changeLink(this.#netlink, index, { mtu, up: true, master: 0 });
      withoutIpv6(link.name);
      this.#mended.push(`set up ${link.name}`);
    }
    // Super-frames may come to sleeve as the capture socket understands them, and no others.
    keepOffloads(handoverName, captureOffloads(this.handoverPort));
  }

  /** Whoever watches links would take a change for a reason to look again. */
  #settleUplink(): void {
    const { isolated, hairpin, name } = this.#byIndex(this.uplink);
    if (!isolated) changeBridgePort(this.#netlink, this.uplink, { isolated: true });
    if (!hairpin) return;
    // Frames would go back to the hosts that they came from.
    links.changeLink(this.#netlink, this.uplink, { hairpin: false });
    this.#mended.push(`switched off hairpin mode on ${name}`);
  }

  /** Index of the VXLAN device of a port, which is made when it is not there. @throws WeaveError */
  openPort(port: number): number {
    const open = port === this.#options.port ? this.uplink : this.ports.get(port);
    return open ?? this.#preparePort(port);
  }

  #preparePort(port: number): number {
    const index = this.#vxlan(portDeviceName(port), port, undefined);
    this.ports.set(port, index);
    return index;
  }

  /** The port of a VXLAN device of ours. */
  portOf(index: number): number | undefined {
    if (index === this.uplink) return this.#options.port;
    return [...this.ports].find(([, device]) => device === index)?.[0];
  }

  #portsThatStand(): number[] {
    const before = [...this.ports.keys()];
    const found = links.listLinks(this.#netlink).flatMap((link) => {
      const port = Number(link.name.slice(portPrefix.length));
      return isOurs(link) && link.name.startsWith(portPrefix) && port > 0 ? [port] : [];
    });
    return [...new Set([...before, ...found])];
  }

  #vxlan(name: string, port: number, master: number | undefined): number {
    const { mtu } = this.#options;
    const settings: LinkSettings & { name: string } = { name, mtu };
    const standing = this.#standingVxlan(name, port);
    if (standing === undefined) {
      this.#createExternal(settings, port);
      const { index } = this.#byName(name);
      withoutIpv6(name);
      this.#equip(index, "vxlan");
      links.changeLink(this.#netlink, index, {
        alias: deviceAlias(`port ${port}`),
        master: master ?? 0,
        up: true,
      });
      this.#mended.push(`made ${name}`);
      return index;
    }
    this.#reequip(standing, "vxlan");
    if (standing.mtu !== mtu || !standing.up || standing.master !== master) {
      links.changeLink(this.#netlink, standing.index, { mtu, up: true, master: master ?? 0 });
      this.#mended.push(`set up ${name}`);
    }
    withoutIpv6(name);
    return standing.index;
  }

  /** A device of this name that is as it should be; one that is not goes. */
  #standingVxlan(name: string, port: number): Link | undefined {
    const link = links.findLink(this.#netlink, { name });
    if (link === undefined) return undefined;
    const vxlan = vxlanOf(this.#netlink, link.index);
    if (vxlan?.external && vxlan.port === port && !vxlan.learning) return link;
    links.deleteLink(this.#netlink, link.index);
    return undefined;
  }

  #createExternal(settings: LinkSettings & { name: string }, port: number): void {
    try {
      createVxlan(this.#netlink, settings, { kind: "external", port });
    } catch (cause) {
      if (!isSystemError(cause, "EADDRINUSE", "EEXIST")) throw cause;
      throw new WeaveError("FASTDP_PORT", `UDP port ${port}, for VXLAN, is in use`, {
        remedy: "stop what uses it ('ss -ulnp', 'ip -d link'), or launch with another --port",
        cause,
      });
    }
  }

  #pair(capture: string): void {
    const ends = [handoverName, capture].map((name) => links.findLink(this.#netlink, { name }));
    const [ours, theirs] = ends;
    const stands = ours !== undefined && isOurs(ours) && ours.peer === theirs?.index;
    if (!stands) {
      for (const end of ends) if (end !== undefined) links.deleteLink(this.#netlink, end.index);
      const { mtu } = this.#options;
      links.createVeth(this.#netlink, { name: handoverName, mtu }, { name: capture, mtu });
      for (const name of [handoverName, capture]) withoutIpv6(name);
      const { index } = this.#byName(handoverName);
      this.#equip(index, "handover");
      links.changeLink(this.#netlink, index, { alias: deviceAlias("to sleeve"), up: true });
      links.changeLink(this.#netlink, this.#byName(capture).index, { up: true });
      this.#mended.push(`made ${handoverName} and ${capture}`);
    }
    const handover = this.#byName(handoverName);
    this.handover = handover.index;
    this.handoverPort = this.#byName(capture).index;
    this.#reequip(handover, "handover");
  }

  /** Of a device that has had its programs before. */
  #reequip({ index, name }: Link, role: DeviceRole): void {
    if (this.#equip(index, role)) this.#mended.push(`put programs at ${name} again`);
  }

  #byIndex(index: number): Link {
    return found(links.findLink(this.#netlink, { index }), `interface ${index}`);
  }

  #byName(name: string): Link {
    return found(links.findLink(this.#netlink, { name }), `interface ${name}`);
  }
}

/** The kernel forgets that while an MTU is too small for IPv6. */
function withoutIpv6(name: string): void {
  setSysctl(`ipv6/conf/${name}/disable_ipv6`, 1);
}

function found(link: Link | undefined, what: string): Link {
  if (link !== undefined) return link;
  throw new WeaveError("BRIDGE_FAILED", `${what} vanished while it was set up`, {
    remedy: "look for another program that manages this host's interfaces",
  });
}

export function deviceAlias(what: string): string {
  return `${aliasPrefix}${what}`;
}

export function isOurs(link: Pick<Link, "alias">): boolean {
  return link.alias.startsWith(aliasPrefix);
}

/** Removes every device of this datapath, with programs and tables; returns their names. */
export function removeDevices(netlink: Netlink): string[] {
  const ours = links.listLinks(netlink).filter(isOurs);
  const removed = ours.filter(({ index }) => links.deleteLink(netlink, index));
  return removed.map(({ name }) => name);
}
