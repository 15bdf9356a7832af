import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { socketName } from "../../../../ffi/socket.ts";
import { isSystemError } from "../../../../ffi/system-error.ts";
import { readUint16 } from "../../../base/bytes.ts";
import { WeaveError } from "../../../base/errors.ts";
import { formatIpv4 } from "../../../base/ip.ts";
import type { DatapathNeighbour } from "../../../overlay/fastdp/ports.ts";
import { makeVni } from "../../../overlay/fastdp/vni.ts";
import { changeBridgePort } from "../../netlink/bridge-port.ts";
import type { Netlink } from "../../netlink/conversation.ts";
import * as links from "../../netlink/link.ts";
import { createVxlan, sendAllTo, vxlanOf } from "../../netlink/vxlan.ts";
import { setSysctl } from "../../sysctl.ts";
import { openUdpSocket } from "../../udp-socket.ts";
import { deviceAlias, isOurs } from "./ebpf-devices.ts";

/**
 * A lane is a device for the frames of one neighbour: out with the VNI of frames from us to it, in
 * with that of frames from it to us. It saves what a tunnel costs that is told of each frame where
 * to, and that tells of each where from: a key, looking up the route to the neighbour's host, and
 * the kernel's object for a received key.
 *
 * Devices that are told their VNI cannot share a UDP port with the one that takes any VNI, so theirs
 * is another port. Frames come to that by the gate (lane-gate.ts); a program lets in nothing else.
 *
 * Lanes are ports of the bridge. It learns which addresses are behind them and sends there what is
 * for those, past the uplink; a program at the lane has the last word on where a frame goes. Floods
 * are the uplink's affair.
 */
export const lanesMax = 128;
const prefix = "vethwe-n";
const portTriesMax = 8;
const probeBufferBytes = 1 << 12;

export interface LanePurpose {
  readonly mtu: number;
  readonly bridge: number;
  readonly self: number;
}

export function laneName(shortId: number): string {
  return `${prefix}${shortId}`;
}

interface Lane {
  readonly index: number;
  /** Says whatever makes another lane necessary when it changes. */
  readonly alias: string;
}

export class Lanes {
  readonly #netlink: Netlink;
  readonly #lanes = new Map<number, Lane>();
  #port: number | undefined;

  /** Takes over what stands. @throws SystemError */
  constructor(netlink: Netlink) {
    this.#netlink = netlink;
    for (const link of links.listLinks(netlink)) {
      if (!link.name.startsWith(prefix) || !isOurs(link)) continue;
      const shortId = Number(link.name.slice(prefix.length));
      this.#lanes.set(shortId, { index: link.index, alias: link.alias });
      this.#port ??= vxlanOf(netlink, link.index)?.port;
    }
  }

  /** UDP port that all of them share; none before the first. */
  get port(): number | undefined {
    return this.#port;
  }

  get names(): string[] {
    return [...this.#lanes.keys()].map(laneName);
  }

  /** Index of the lane to a neighbour, if it is still as it was made. @throws SystemError */
  find(neighbour: DatapathNeighbour, purpose: LanePurpose): number | undefined {
    const lane = this.#lanes.get(neighbour.shortId);
    if (lane === undefined || lane.alias !== aliasOf(neighbour, purpose)) return undefined;
    const link = links.findLink(this.#netlink, { index: lane.index });
    const { mtu, bridge } = purpose;
    const stands = link?.alias === lane.alias && link.up && link.mtu === mtu;
    return stands && link.master === bridge ? lane.index : undefined;
  }

  /**
   * Makes the lane to a neighbour anew; `equip` puts its program there before it is switched on.
   * `undefined` when there are too many, or the kernel has no room for it: frames take the tunnel.
   */
  make(
    neighbour: DatapathNeighbour,
    purpose: LanePurpose,
    equip: (device: number) => unknown,
  ): number | undefined {
    const { shortId, remoteIp, port } = neighbour;
    this.close(shortId);
    if (this.#lanes.size >= lanesMax) return undefined;
    const alias = aliasOf(neighbour, purpose);
    let index: number | undefined;
    try {
      index = this.#create(neighbour, purpose);
      equip(index);
      const vni = makeVni(purpose.self, shortId);
      sendAllTo(this.#netlink, index, { remote: remoteIp, port, vni });
      setSysctl(`ipv6/conf/${laneName(shortId)}/disable_ipv6`, 1);
      links.changeLink(this.#netlink, index, { master: purpose.bridge, alias });
      const alone = { isolated: true, learning: true, flooding: false };
      changeBridgePort(this.#netlink, index, alone);
      links.changeLink(this.#netlink, index, { up: true });
    } catch (error) {
      if (index !== undefined) links.deleteLink(this.#netlink, index);
      if (isSystemError(error) || error instanceof WeaveError) return undefined;
      throw error;
    }
    this.#lanes.set(shortId, { index, alias });
    return index;
  }

  /** Closes all lanes but those to these neighbours. */
  closeOthers(neighbours: ReadonlyMap<number, DatapathNeighbour>): void {
    for (const shortId of this.#lanes.keys()) if (!neighbours.has(shortId)) this.close(shortId);
  }

  close(shortId: number): void {
    const lane = this.#lanes.get(shortId);
    if (lane === undefined) return;
    this.#lanes.delete(shortId);
    const link = links.findLink(this.#netlink, { index: lane.index });
    if (link !== undefined && isOurs(link)) links.deleteLink(this.#netlink, lane.index);
  }

  #create({ shortId, localIp }: DatapathNeighbour, { mtu, self }: LanePurpose): number {
    const name = laneName(shortId);
    // Between asking for a free port and using it, somebody else may take it.
    for (let left = portTriesMax; ; left--) {
      const port = this.#port ?? freePort();
      try {
        const vxlan = { kind: "plain", id: makeVni(shortId, self), port, local: localIp } as const;
        createVxlan(this.#netlink, { name, mtu }, vxlan);
        this.#port = port;
        return links.findLink(this.#netlink, { name })!.index;
      } catch (error) {
        if (left === 0 || !isSystemError(error, "EADDRINUSE")) throw error;
        this.#port = undefined;
      }
    }
  }
}

function aliasOf({ shortId, localIp, remoteIp, port }: DatapathNeighbour, { self }: LanePurpose) {
  const [out, back] = [makeVni(self, shortId), makeVni(shortId, self)];
  return deviceAlias(
    `lane ${out} ${back} ${formatIpv4(localIp)} to ${formatIpv4(remoteIp)}:${port}`,
  );
}

function freePort(): number {
  const descriptor = openUdpSocket(0, 0, probeBufferBytes);
  try {
    return readUint16(socketName(descriptor), 2);
  } finally {
    closeDescriptor(descriptor);
  }
}
