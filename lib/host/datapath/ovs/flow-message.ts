import {
  concatBytes,
  emptyBytes,
  readUint32,
  writeUint16,
  writeUint32,
} from "../../../base/bytes.ts";
import type { Ipv4 } from "../../../base/ip.ts";
import { etherType, type Mac, readMac, writeMac } from "../../../wire/ethernet.ts";
import { genericBody } from "../../netlink/generic.ts";
import * as message from "../../netlink/message.ts";
import { Attributes, viewOf } from "../../netlink/message.ts";
import { ovsAttributes, ovsHeader } from "./vport-message.ts";

/**
 * Flows and packets of the openvswitch module (fastdp §4.4–§4.7; linux/openvswitch.h). A flow says
 * which frames it is for by a key and a mask of the same attributes, and what happens to them by
 * actions in their order:
 *
 *   FLOW    KEY { IN_PORT, ETHERNET, … }   MASK { … }   ACTIONS { SET { TUNNEL … }, OUTPUT, … }   UFID
 *   PACKET  the frame   KEY, of a miss what the kernel read in it   ACTIONS, to be executed on it
 *
 * A key without an attribute matches whatever that attribute says, but for one: without `VLAN` only
 * untagged frames match.
 */
const flowVersion = 1;
const packetVersion = 1;
const COMMAND = { create: 1, delete: 2, get: 3, execute: 3 } as const;
export const missCommand = 1;
const FLOW = { key: 1, actions: 2, stats: 3, mask: 7, ufid: 9, ufidFlags: 10 } as const;
const PACKET = { frame: 1, key: 2, actions: 3 } as const;
const KEY = {
  encapsulated: 1,
  inPort: 3,
  ethernet: 4,
  vlan: 5,
  etherType: 6,
  mark: 15,
  tunnel: 16,
} as const;
const TUNNEL = { id: 0, source: 1, destination: 2, tos: 3, ttl: 4, dontFragment: 5 } as const;
const ACTION = { output: 1, set: 3, checkLength: 21 } as const;
const CHECK = { octets: 1, longer: 2, otherwise: 3 } as const;

const outerTtl = 64;
const ethernetBytes = 12;
/** "There is a tag", the one bit of a tag that must always be matched. */
const vlanPresent = 0x1000;
/** As a mask of what a tag encapsulates. It has to be said: an attribute of no octets is no mask. */
const anyTypeInside = bigEndian16(KEY.etherType, 0);
/** Of a dump: neither key nor mask nor actions, for flows with an id. */
const omitAllButStats = 7;

/** Octets of a flow's id, which is ours to choose. */
export const flowIdBytes = 16;

export interface TunnelKey {
  readonly vni: number;
  /** Outer addresses. */
  readonly source: Ipv4;
  readonly destination: Ipv4;
}

/** The frames that a flow is for; what is `undefined` does not matter. */
export interface FlowMatch {
  readonly inPort: number;
  readonly macs: { readonly source: Mac; readonly destination: Mac } | undefined;
  /** The type of the VLAN tag; `undefined`: frames without one. */
  readonly vlanType: number | undefined;
  readonly mark: number | undefined;
  readonly tunnel: TunnelKey | undefined;
}

export type FlowAction =
  | { readonly kind: "output"; readonly port: number }
  /** Outputs to VXLAN ports from here on are wrapped so. */
  | { readonly kind: "tunnel"; readonly key: TunnelKey }
  /** The frame has this mark from here on. */
  | { readonly kind: "mark"; readonly mark: number }
  /** By its length, of super-frames that of each segment; what either branch sets ends with it. */
  | {
      readonly kind: "ifLonger";
      readonly octets: number;
      readonly longer: readonly FlowAction[];
      readonly otherwise: readonly FlowAction[];
    };

export interface FlowStats {
  /** Hexadecimal; empty for a flow that somebody else made without one. */
  readonly id: string;
  readonly packets: number;
  readonly bytes: number;
}

export interface DumpedFlow extends FlowStats {
  readonly match: FlowMatch;
  readonly actions: readonly FlowAction[];
}

/** A frame for which there was no flow. */
export interface Miss {
  readonly inPort: number;
  readonly vlanType: number | undefined;
  readonly mark: number;
  readonly tunnel: TunnelKey | undefined;
  readonly frame: Uint8Array;
}

export function createFlow(
  datapath: number,
  match: FlowMatch,
  actions: readonly FlowAction[],
  id?: Uint8Array,
): Uint8Array {
  return genericBody(
    COMMAND.create,
    flowVersion,
    ovsHeader(datapath),
    message.attribute(FLOW.key, encodeKey(match)),
    message.attribute(FLOW.mask, encodeMask(match)),
    message.attribute(FLOW.actions, encodeActions(actions)),
    ...(id === undefined ? [] : [message.attribute(FLOW.ufid, id)]),
  );
}

export function deleteFlow(datapath: number, flow: { id: Uint8Array } | FlowMatch): Uint8Array {
  const which =
    "id" in flow
      ? [message.attribute(FLOW.ufid, flow.id)]
      : [
          message.attribute(FLOW.key, encodeKey(flow)),
          message.attribute(FLOW.mask, encodeMask(flow)),
        ];
  return genericBody(COMMAND.delete, flowVersion, ovsHeader(datapath), ...which);
}

/** All of them, whoever made them. */
export function deleteAllFlows(datapath: number): Uint8Array {
  return genericBody(COMMAND.delete, flowVersion, ovsHeader(datapath));
}

/** To be dumped. */
export function listFlows(datapath: number, { statsOnly = false } = {}): Uint8Array {
  const omit = statsOnly ? [message.uint32(FLOW.ufidFlags, omitAllButStats)] : [];
  return genericBody(COMMAND.get, flowVersion, ovsHeader(datapath), ...omit);
}

/** Has the kernel do `actions` to a frame. */
export function executeFrame(
  datapath: number,
  frame: Uint8Array,
  actions: readonly FlowAction[],
): Uint8Array {
  return genericBody(
    COMMAND.execute,
    packetVersion,
    ovsHeader(datapath),
    message.attribute(PACKET.frame, frame),
    message.attribute(PACKET.key, new Uint8Array(0)),
    message.attribute(PACKET.actions, encodeActions(actions)),
  );
}

function encodeKey(match: FlowMatch): Uint8Array {
  const { macs, vlanType, mark, tunnel } = match;
  return concatBytes(
    message.uint32(KEY.inPort, match.inPort),
    message.attribute(KEY.ethernet, ethernetKey(macs)),
    ...(vlanType === undefined ? [] : vlanKey(vlanType, emptyBytes)),
    ...(mark === undefined ? [] : [message.uint32(KEY.mark, mark)]),
    ...(tunnel === undefined ? [] : [message.attribute(KEY.tunnel, tunnelKey(tunnel, 0))]),
  );
}

function encodeMask({ macs, vlanType, mark, tunnel }: FlowMatch): Uint8Array {
  const all = 0xffff_ffff;
  const whole = { vni: 0xff_ffff, source: all, destination: all };
  return concatBytes(
    message.uint32(KEY.inPort, all),
    message.attribute(KEY.ethernet, new Uint8Array(ethernetBytes).fill(macs ? 0xff : 0)),
    ...(vlanType === undefined ? [] : vlanKey(0xffff, anyTypeInside)),
    ...(mark === undefined ? [] : [message.uint32(KEY.mark, all)]),
    ...(tunnel === undefined
      ? []
      : [message.attribute(KEY.tunnel, tunnelKey(whole, 0, new Uint8Array(8).fill(0xff)))]),
  );
}

function ethernetKey(macs: FlowMatch["macs"]): Uint8Array {
  const bytes = new Uint8Array(ethernetBytes);
  if (macs !== undefined) {
    writeMac(bytes, 0, macs.source);
    writeMac(bytes, 6, macs.destination);
  }
  return bytes;
}

/** A tag of any number. */
function vlanKey(type: number, inside: Uint8Array): Uint8Array[] {
  return [
    bigEndian16(KEY.vlan, vlanPresent),
    bigEndian16(KEY.etherType, type),
    message.attribute(KEY.encapsulated, inside),
  ];
}

function tunnelKey(key: TunnelKey, ttl: number, id = tunnelId(key.vni)): Uint8Array {
  return concatBytes(
    message.attribute(TUNNEL.id, id),
    message.uint32BigEndian(TUNNEL.source, key.source),
    message.uint32BigEndian(TUNNEL.destination, key.destination),
    message.uint8(TUNNEL.ttl, ttl),
  );
}

function encodeActions(actions: readonly FlowAction[]): Uint8Array {
  return concatBytes(...actions.map(encodeAction));
}

function encodeAction(action: FlowAction): Uint8Array {
  if (action.kind === "output") return message.uint32(ACTION.output, action.port);
  if (action.kind === "ifLonger") {
    const check = concatBytes(
      message.uint16(CHECK.octets, action.octets),
      message.attribute(CHECK.longer, encodeActions(action.longer)),
      message.attribute(CHECK.otherwise, encodeActions(action.otherwise)),
    );
    return message.attribute(ACTION.checkLength, check);
  }
  const set =
    action.kind === "mark"
      ? message.uint32(KEY.mark, action.mark)
      : message.attribute(KEY.tunnel, outerHeader(action.key));
  return message.attribute(ACTION.set, set);
}

function outerHeader(key: TunnelKey): Uint8Array {
  return concatBytes(
    message.attribute(TUNNEL.id, tunnelId(key.vni)),
    message.uint32BigEndian(TUNNEL.source, key.source),
    message.uint32BigEndian(TUNNEL.destination, key.destination),
    message.uint8(TUNNEL.tos, 0),
    message.uint8(TUNNEL.ttl, outerTtl),
    message.attribute(TUNNEL.dontFragment, new Uint8Array(0)),
  );
}

/** The VNI as the kernel writes it: eight octets, big-endian. */
function tunnelId(vni: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeUint32(bytes, 4, vni);
  return bytes;
}

function bigEndian16(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  writeUint16(bytes, 0, value);
  return message.attribute(type, bytes);
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeMiss(body: Uint8Array): Miss | undefined {
  const attributes = ovsAttributes(body);
  const frame = attributes.bytes(PACKET.frame);
  const key = attributes.nested(PACKET.key);
  const inPort = key.uint32(KEY.inPort);
  if (frame === undefined || inPort === undefined) return undefined;
  return {
    inPort,
    vlanType: decodeVlanType(key),
    mark: key.uint32(KEY.mark) ?? 0,
    tunnel: decodeTunnel(key),
    frame,
  };
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeFlowStats(body: Uint8Array): FlowStats {
  return statsOf(ovsAttributes(body));
}

/** @throws WeaveError `NETLINK_FORMAT` */
export function decodeFlow(body: Uint8Array): DumpedFlow {
  const attributes = ovsAttributes(body);
  const key = attributes.nested(FLOW.key);
  const mask = attributes.nested(FLOW.mask);
  const isMatched = (type: number): boolean =>
    mask.bytes(type)?.some((octet) => octet !== 0) === true;
  const macs = key.bytes(KEY.ethernet);
  return {
    ...statsOf(attributes),
    match: {
      inPort: key.uint32(KEY.inPort) ?? 0,
      macs:
        macs?.length === ethernetBytes && isMatched(KEY.ethernet)
          ? { source: readMac(macs, 0), destination: readMac(macs, 6) }
          : undefined,
      vlanType: decodeVlanType(key),
      mark: isMatched(KEY.mark) ? key.uint32(KEY.mark) : undefined,
      tunnel: decodeTunnel(key),
    },
    actions: decodeActions(attributes.bytes(FLOW.actions) ?? new Uint8Array(0)),
  };
}

function statsOf(attributes: Attributes): FlowStats {
  const stats = attributes.bytes(FLOW.stats);
  const count = (at: number): number =>
    stats === undefined || stats.length < at + 8 ? 0 : Number(viewOf(stats).getBigUint64(at, true));
  return { id: attributes.bytes(FLOW.ufid)?.toHex() ?? "", packets: count(0), bytes: count(8) };
}

function decodeVlanType(key: Attributes): number | undefined {
  const type = key.has(KEY.vlan) ? key.uint16BigEndian(KEY.etherType) : undefined;
  return type === 0 ? etherType.vlan : type;
}

function decodeTunnel(key: Attributes): TunnelKey | undefined {
  if (!key.has(KEY.tunnel)) return undefined;
  const tunnel = key.nested(KEY.tunnel);
  const id = tunnel.bytes(TUNNEL.id);
  return {
    vni: id?.length === 8 ? readUint32(id, 4) & 0xff_ffff : 0,
    source: tunnel.uint32BigEndian(TUNNEL.source) ?? 0,
    destination: tunnel.uint32BigEndian(TUNNEL.destination) ?? 0,
  };
}

/** Those that we make; others are passed over. */
function decodeActions(bytes: Uint8Array): FlowAction[] {
  return [...message.eachAttribute(bytes)].flatMap(({ type, payload }): FlowAction[] => {
    if (type === ACTION.output && payload.length === 4) {
      return [{ kind: "output", port: viewOf(payload).getUint32(0, true) }];
    }
    if (type === ACTION.checkLength) return [decodeLengthCheck(new Attributes(payload))];
    if (type !== ACTION.set) return [];
    const set = new Attributes(payload);
    const tunnel = decodeTunnel(set);
    if (tunnel !== undefined) return [{ kind: "tunnel", key: tunnel }];
    const mark = set.uint32(KEY.mark);
    return mark === undefined ? [] : [{ kind: "mark", mark }];
  });
}

function decodeLengthCheck(check: Attributes): FlowAction {
  const branch = (type: number): FlowAction[] =>
    decodeActions(check.bytes(type) ?? new Uint8Array(0));
  return {
    kind: "ifLonger",
    octets: check.uint16(CHECK.octets) ?? 0,
    longer: branch(CHECK.longer),
    otherwise: branch(CHECK.otherwise),
  };
}
