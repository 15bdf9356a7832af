import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes, fromHex, toHex } from "../../base/bytes.ts";
import type { Netlink } from "./conversation.ts";
import * as message from "./message.ts";
import { attributesBehind, flags, type NetlinkMessage, viewOf } from "./message.ts";

/**
 * Network interfaces (rtnetlink(7), linux/if_link.h).
 *
 *   ifinfomsg (16)
 *   +-----------+-------+---------+----------+----------+-----------+
 *   | family: 1 | pad 1 | type: 2 | index: 4 | flags: 4 | change: 4 |   then attributes
 *   +-----------+-------+---------+----------+----------+-----------+
 */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, `openvswitch`, …; empty for hardware. */
  readonly kind: string;
  /** Six octets as text, e.g. `8a:3e:3e:3e:3e:3e`; empty for links without one. */
  readonly mac: string;
  readonly mtu: number;
  /** Administratively up. */
  readonly up: boolean;
  /** Able to pass frames: up, with carrier, and taken note of by the kernel. */
  readonly operational: boolean;
  /** Index of the bridge this is a port of. */
  readonly master: number | undefined;
  /** Index of a veth's other end, in {@link peerNamespace} or else in the same namespace. */
  readonly peer: number | undefined;
  /** Number by which this namespace knows the namespace of the other end. */
  readonly peerNamespace: number | undefined;
  /** Free text that goes with the link. */
  readonly alias: string;
  /** For a bridge's port: whether frames may leave by the port they came in. */
  readonly hairpin: boolean;
  /** For a bridge's port: whether nothing passes between it and other isolated ports. */
  readonly isolated: boolean;
  /** For a bridge: whether packets that it forwards pass the filters of those that hosts forward. */
  readonly filtered: boolean;
}

const ifinfoBytes = 16;
const RTM = { newLink: 16, deleteLink: 17, getLink: 18 } as const;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  operState: 16,
  info: 18,
  alias: 20,
  namespaceDescriptor: 28,
  peerNamespace: 37,
  targetNamespace: 46,
} as const;
const INFO = { kind: 1, data: 2, portKind: 4, portData: 5 } as const;
const VETH_PEER = 1;
/** For IPv4 and IPv6. */
const BRIDGE_CALLS_FILTERS = [36, 37] as const;
const BRIDGE_PORT_HAIRPIN = 4;
const BRIDGE_PORT_ISOLATED = 33;
const IFF_UP = 1;
const OPERATIONAL_UP = 6;
/** Multicast group of changes to links, for {@link NetlinkSocket.join}, and what it is told. */
export const linkChanges = { group: 1, types: [RTM.newLink, RTM.deleteLink] as readonly number[] };

/** Where to look: by name or index, here or in another namespace that this one knows by number. */
export interface LinkQuery {
  readonly name?: string;
  readonly index?: number;
  readonly namespace?: number;
}

/** `undefined` when there is no such link. @throws SystemError */
export function findLink(netlink: Netlink, query: LinkQuery): Link | undefined {
  const attributes: Uint8Array[] = [];
  if (query.name !== undefined) attributes.push(message.text(IFLA.name, query.name));
  if (query.namespace !== undefined) {
    attributes.push(message.uint32(IFLA.targetNamespace, query.namespace));
  }
  const body = concatBytes(ifinfo({ index: query.index ?? 0 }), ...attributes);
  const about = query.name ?? `interface ${query.index}`;
  try {
    return netlink.request(RTM.getLink, 0, body, about).map(decodeLink)[0];
  } catch (error) {
    // No link has a name that is too long for one.
    if (isSystemError(error, "ENODEV") || isSystemError(error, "ERANGE")) return undefined;
    throw error;
  }
}

/** @throws SystemError */
export function listLinks(netlink: Netlink): Link[] {
  return netlink.dump(RTM.getLink, ifinfo({}), "interfaces").map(decodeLink);
}

export interface LinkSettings {
  readonly name?: string;
  readonly mac?: Uint8Array;
  readonly mtu?: number;
  readonly up?: boolean;
  /** Index of the bridge to become a port of; 0 for none. */
  readonly master?: number;
  readonly alias?: string;
  readonly hairpin?: boolean;
  readonly filtered?: boolean;
  /** An open namespace to move into. */
  readonly namespaceDescriptor?: number;
}

/** @throws SystemError `SYS_EEXIST` when the name is taken */
export function createBridge(netlink: Netlink, settings: LinkSettings & { name: string }): void {
  createLink(netlink, "bridge", settings, new Uint8Array(0));
}

/** Two interfaces joined like the ends of a cable; each may lie in another namespace. */
export function createVeth(
  netlink: Netlink,
  settings: LinkSettings & { name: string },
  peer: LinkSettings & { name: string },
): void {
  createLink(
    netlink,
    "veth",
    settings,
    message.nested(VETH_PEER, ifinfo({ ...upDown(peer) }), ...linkAttributes(peer)),
  );
}

/** @throws SystemError */
export function changeLink(netlink: Netlink, index: number, settings: LinkSettings): void {
  const body = concatBytes(
    ifinfo({ index, ...upDown(settings) }),
    ...linkAttributes(settings),
    ...bridgeAttributes(settings),
  );
  netlink.request(RTM.newLink, 0, body, `interface ${settings.name ?? index}`);
}

/** False when there was none. @throws SystemError */
export function deleteLink(netlink: Netlink, index: number): boolean {
  try {
    netlink.request(RTM.deleteLink, 0, ifinfo({ index }), `interface ${index}`);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENODEV")) return false;
    throw error;
  }
}

/** The octets of a link's MAC. */
export function macBytes(link: Pick<Link, "mac">): Uint8Array {
  return fromHex(link.mac.replaceAll(":", ""));
}

/**
 * Reads a link message, as dumped or as told to the group of {@link linkChanges}.
 *
 * @throws WeaveError `NETLINK_FORMAT`
 */
export function decodeLink(from: NetlinkMessage): Link {
  const attributes = attributesBehind(ifinfoBytes, from.body);
  const view = viewOf(from.body);
  const info = attributes.nested(IFLA.info);
  const port = info.text(INFO.portKind) === "bridge" ? info.nested(INFO.portData) : undefined;
  const bridge = info.text(INFO.kind) === "bridge" ? info.nested(INFO.data) : undefined;
  const mac = attributes.bytes(IFLA.address) ?? new Uint8Array(0);
  return {
    index: view.getInt32(4, true),
    name: attributes.text(IFLA.name) ?? "",
    kind: info.text(INFO.kind) ?? "",
    mac: toHex(mac).replace(/..(?!$)/g, "$&:"),
    mtu: attributes.uint32(IFLA.mtu) ?? 0,
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
    operational: attributes.uint8(IFLA.operState) === OPERATIONAL_UP,
    master: attributes.uint32(IFLA.master),
    peer: attributes.uint32(IFLA.link),
    peerNamespace: attributes.uint32(IFLA.peerNamespace),
    alias: attributes.text(IFLA.alias) ?? "",
    hairpin: port?.uint8(BRIDGE_PORT_HAIRPIN) === 1,
    isolated: port?.uint8(BRIDGE_PORT_ISOLATED) === 1,
    filtered: BRIDGE_CALLS_FILTERS.every((each) => bridge?.uint8(each) === 1),
  };
}

/** `data`: the attributes that only this kind has. @throws SystemError `SYS_EEXIST` */
export function createLink(
  netlink: Netlink,
  kind: string,
  settings: LinkSettings & { name: string },
  data: Uint8Array,
): void {
  const info = message.nested(
    IFLA.info,
    message.text(INFO.kind, kind),
    ...(data.length === 0 ? [] : [message.nested(INFO.data, data)]),
  );
  netlink.request(
    RTM.newLink,
    flags.create | flags.exclusive,
    concatBytes(ifinfo(upDown(settings)), ...linkAttributes(settings), info),
    `${kind} ${settings.name}`,
  );
}

function linkAttributes(settings: LinkSettings): Uint8Array[] {
  const attributes: Uint8Array[] = [];
  if (settings.name !== undefined) attributes.push(message.text(IFLA.name, settings.name));
  if (settings.mac !== undefined) attributes.push(message.attribute(IFLA.address, settings.mac));
  if (settings.mtu !== undefined) attributes.push(message.uint32(IFLA.mtu, settings.mtu));
  if (settings.master !== undefined) attributes.push(message.uint32(IFLA.master, settings.master));
  if (settings.alias !== undefined) attributes.push(message.text(IFLA.alias, settings.alias));
  if (settings.namespaceDescriptor !== undefined) {
    attributes.push(message.uint32(IFLA.namespaceDescriptor, settings.namespaceDescriptor));
  }
  return attributes;
}

/** What only bridges have, or their ports. */
function bridgeAttributes({ hairpin, filtered }: LinkSettings): Uint8Array[] {
  const attributes: Uint8Array[] = [];
  if (hairpin !== undefined) {
    const data = message.uint8(BRIDGE_PORT_HAIRPIN, hairpin ? 1 : 0);
    attributes.push(message.text(INFO.portKind, "bridge"), message.nested(INFO.portData, data));
  }
  if (filtered !== undefined) {
    const data = BRIDGE_CALLS_FILTERS.map((each) => message.uint8(each, filtered ? 1 : 0));
    attributes.push(message.text(INFO.kind, "bridge"), message.nested(INFO.data, ...data));
  }
  return attributes.length === 0 ? [] : [message.nested(IFLA.info, ...attributes)];
}

function upDown(settings: LinkSettings): { flags?: number; change?: number } {
  return settings.up === undefined ? {} : { flags: settings.up ? IFF_UP : 0, change: IFF_UP };
}

function ifinfo(fields: { index?: number; flags?: number; change?: number }): Uint8Array {
  const bytes = new Uint8Array(ifinfoBytes);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, fields.index ?? 0, true);
  view.setUint32(8, fields.flags ?? 0, true);
  view.setUint32(12, fields.change ?? 0, true);
  return bytes;
}
