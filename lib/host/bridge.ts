import { errorText, WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName, peerNameBytes } from "../base/peer-name.ts";
import { captureOffloads } from "./capture-offloads.ts";
import { mendContainerPort } from "./container-port.ts";
import { type DeviceNames, isContainerPort, joinOf } from "./device-names.ts";
import { keepOffloads } from "./interface-offloads.ts";
import type { Netlink } from "./netlink/conversation.ts";
import type { Link } from "./netlink/link.ts";
import * as links from "./netlink/link.ts";
import {
  checkNeighboursOften,
  keepSecondaryAddresses,
  refuseRouterAdvertisements,
} from "./sysctl.ts";

/** What the captured wiring's devices carry: sleeve finds the path's real limit and answers for it. */
export const capturedMtu = 65535;

/** The bridge as it stands after {@link prepareBridge}. */
export interface PreparedBridge {
  readonly bridge: Link;
  /** Where the router captures and injects. */
  readonly capture: Link;
  /** What had to be made or mended, one sentence each; empty when everything stood. */
  readonly mended: readonly string[];
}

/**
 * Makes or mends bridge and tap so that afterwards
 *
 *   container ─ veth ─ [ weave ] ─ vethwe-bridge ═══ vethwe-pcap
 *                        MAC = peer name, MTU on all three, all up
 *
 * and containers that lost their bridge are plugged in again. Repeating it changes nothing.
 *
 * @throws WeaveError `BRIDGE_FAILED`
 */
export function prepareBridge(netlink: Netlink, options: BridgeOptions): PreparedBridge {
  return explained(options, () => new BridgeBuilder(netlink, options).prepare());
}

/** The same without tap, for a kernel datapath, which brings its own port. @throws WeaveError */
export function prepareDatapathBridge(
  netlink: Netlink,
  options: BridgeOptions,
): Omit<PreparedBridge, "capture"> {
  return explained(options, () => new BridgeBuilder(netlink, options).prepareForDatapath());
}

export interface BridgeOptions {
  readonly names: DeviceNames;
  readonly peer: PeerName;
  readonly mtu: number;
}

function explained<Result>({ names }: BridgeOptions, prepare: () => Result): Result {
  try {
    return prepare();
  } catch (cause) {
    if (cause instanceof WeaveError) throw cause;
    throw new WeaveError(
      "BRIDGE_FAILED",
      `cannot set up bridge ${names.bridge}: ${errorText(cause)}`,
      { remedy: "run as root on a kernel with bridge and veth support", cause },
    );
  }
}

class BridgeBuilder {
  readonly #netlink: Netlink;
  readonly #names: DeviceNames;
  readonly #peer: PeerName;
  readonly #mtu: number;
  readonly #mended: string[] = [];

  constructor(netlink: Netlink, options: BridgeOptions) {
    this.#netlink = netlink;
    this.#names = options.names;
    this.#peer = options.peer;
    this.#mtu = options.mtu;
  }

  prepare(): PreparedBridge {
    const bridge = this.#bridge();
    const capture = this.#tap(bridge);
    this.#plugPorts(bridge);
    this.#settleBridge(bridge);
    // Containers keep their offloads: what the router cannot read, the kernel finishes at the tap.
    keepOffloads(this.#names.tap, captureOffloads(capture.index));
    for (const name of [this.#names.tap, this.#names.capture]) refuseRouterAdvertisements(name);
    return { bridge: this.#get(bridge.name), capture, mended: this.#mended };
  }

  prepareForDatapath(): Omit<PreparedBridge, "capture"> {
    const bridge = this.#bridge();
    this.#removeTap();
    this.#plugPorts(bridge);
    this.#settleBridge(bridge);
    return { bridge: this.#get(bridge.name), mended: this.#mended };
  }

  /** A bridge follows its smallest port until its MTU is set; so this comes after the ports. */
  #settleBridge(bridge: Link): void {
    const wanted = { mac: peerNameBytes(this.#peer), mtu: this.#mtu, up: true };
    if (bridge.mac !== formatPeerName(this.#peer) || bridge.mtu !== this.#mtu || !bridge.up) {
      links.changeLink(this.#netlink, bridge.index, wanted);
      this.#mended.push(`set up ${bridge.name}`);
    }
    refuseRouterAdvertisements(bridge.name);
    checkNeighboursOften(bridge.name);
    keepSecondaryAddresses(bridge.name);
  }

  #bridge(): Link {
    const found = links.findLink(this.#netlink, { name: this.#names.bridge });
    if (found?.kind === "bridge") return found;
    if (found !== undefined) {
      throw new WeaveError(
        "BRIDGE_TAKEN",
        `interface ${found.name} exists and is no bridge (${found.kind || "hardware"})`,
        { remedy: "remove or rename it, or launch with another --weave-bridge" },
      );
    }
    links.createBridge(this.#netlink, {
      name: this.#names.bridge,
      mac: peerNameBytes(this.#peer),
    });
    this.#mended.push(`made bridge ${this.#names.bridge}`);
    return this.#get(this.#names.bridge);
  }

  #tap(bridge: Link): Link {
    const { tap, capture } = this.#names;
    const ends = [tap, capture].map((name) => links.findLink(this.#netlink, { name }));
    if (ends[0] === undefined || ends[1] === undefined || ends[0].peer !== ends[1].index) {
      for (const end of ends) if (end !== undefined) links.deleteLink(this.#netlink, end.index);
      // Neither end can be put up before it has its other end.
      const mtu = this.#mtu;
      links.createVeth(
        this.#netlink,
        { name: tap, mtu, master: bridge.index },
        { name: capture, mtu },
      );
      this.#mended.push(`made ${tap} and ${capture}`);
    }
    this.#settleTapEnd(this.#get(tap), bridge.index);
    this.#settleTapEnd(this.#get(capture), undefined);
    return this.#get(capture);
  }

  /** The pair of the captured wiring: nobody would read at its other end any more. */
  #removeTap(): void {
    const [tap, capture] = [this.#names.tap, this.#names.capture].map((name) =>
      links.findLink(this.#netlink, { name }),
    );
    if (tap?.kind !== "veth" || tap.peer === undefined || tap.peer !== capture?.index) return;
    links.deleteLink(this.#netlink, tap.index);
    this.#mended.push(`removed ${tap.name} and ${capture.name}, which captured frames`);
  }

  #settleTapEnd(end: Link, master: number | undefined): void {
    if (end.mtu !== this.#mtu || !end.up || end.master !== master) {
      links.changeLink(this.#netlink, end.index, { mtu: this.#mtu, up: true, master: master ?? 0 });
      this.#mended.push(`set up ${end.name}`);
    }
    if (end.hairpin) {
      // Frames would come back to the router that injected them, for ever.
      links.changeLink(this.#netlink, end.index, { hairpin: false });
      this.#mended.push(`switched off hairpin mode on ${end.name}`);
    }
  }

  /** Containers, and bridges joined with ours, keep their veth when the bridge is deleted. */
  #plugPorts(bridge: Link): void {
    for (const link of links.listLinks(this.#netlink)) {
      if (!isPort(link) || (link.master ?? bridge.index) !== bridge.index) continue;
      if (isContainerPort(link.name)) {
        this.#mended.push(...mendContainerPort(this.#netlink, bridge, link));
      } else if (link.master === undefined || !link.up) {
        // A whole bridge behind a port would get its own frames back: no hairpin.
        links.changeLink(this.#netlink, link.index, { master: bridge.index, up: true });
        this.#mended.push(`plugged ${link.name} into ${bridge.name} again`);
      }
    }
  }

  #get(name: string): Link {
    const link = links.findLink(this.#netlink, { name });
    if (link !== undefined) return link;
    throw new WeaveError("BRIDGE_FAILED", `interface ${name} vanished while it was set up`, {
      remedy: "look for another program that manages this host's interfaces",
    });
  }
}

/** Whether containers, or another bridge, are to be reached by this interface. */
function isPort({ kind, name }: Pick<Link, "kind" | "name">): boolean {
  return kind === "veth" && (isContainerPort(name) || joinOf(name) !== undefined);
}

/** Removes bridge, tap and the ports of containers and joined bridges, and nothing else; returns their names. */
export function removeBridge(netlink: Netlink, names: DeviceNames): string[] {
  const all = links.listLinks(netlink);
  const bridge = all.find((link) => link.name === names.bridge && link.kind === "bridge");
  const ours = all.filter(
    (link) =>
      link === bridge ||
      (link.kind === "veth" && (link.name === names.tap || link.name === names.capture)) ||
      (isPort(link) && (link.master === undefined || link.master === bridge?.index)),
  );
  for (const link of ours) links.deleteLink(netlink, link.index);
  return ours.map(({ name }) => name);
}
