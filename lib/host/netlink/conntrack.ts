import { isSystemError } from "../../../ffi/system-error.ts";
import { concatBytes, readUint16, readUint32 } from "../../base/bytes.ts";
import { familyOf, formatIp, type HostIp, ipBytes, ipFromBytes, ipOf } from "../../base/ip.ts";
import type { Netlink } from "./conversation.ts";
import type { NetlinkMessage } from "./message.ts";
import * as message from "./message.ts";

/**
 * Connections that the kernel keeps track of in this network namespace
 * (linux/netfilter/nfnetlink_conntrack.h).
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   |    family     |   version 0   |          resource 0           |  attributes…
 *   +---------------+---------------+-------------------------------+
 *
 *   original ─ addresses as whoever opened it has written them
 *   reply ──── as they are in answers: from whoever it was translated to, to whoever is to be answered
 *   master ─── original of the connection that announced this one
 *   zone ───── of connections whose addresses are those of others; absent: 0
 *   mark ───── 32 bits for whoever wants to remember something
 *   protoinfo ▸ tcp ▸ state, and flags of both ends
 */
export interface ConntrackEntry {
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  readonly mark: number;
  /** Of TCP, one of {@link tcpState} or another. */
  readonly tcpState: number | undefined;
  /** Whether it is one of TCP whose beginning the kernel has not seen. */
  readonly wasPickedUp: boolean;
  /** Whether another one has announced it. */
  readonly hasMaster: boolean;
  /** All that the kernel told of it: by some of that it finds it again. */
  readonly told: Uint8Array;
}

/** One direction of it. */
export interface ConntrackTuple {
  readonly source: HostIp;
  readonly destination: HostIp;
  /** Of the header of IP. */
  readonly protocol: number;
  /** Of protocols that have ports. */
  readonly sourcePort: number | undefined;
}

/** Which connections are meant: those of which all of this is so. */
export interface ConntrackChoice {
  /** The mark has all of these bits. */
  readonly marked?: number;
  /** So is the source, one way or the other. */
  readonly source?: { readonly way: ConntrackWay; readonly address: HostIp };
}

export type ConntrackWay = "original" | "reply";

/** Those of connections whose ends have nothing more to say (linux/netfilter/nf_conntrack_tcp.h). */
export const tcpState = { timeWait: 7, close: 8 } as const;

const subsystem = 1;
const NEW = subsystem << 8;
const GET = (subsystem << 8) | 1;
const DELETE = (subsystem << 8) | 2;
const fixedBytes = 4;
const CTA = {
  original: 1,
  reply: 2,
  protocolInfo: 4,
  mark: 8,
  master: 14,
  zone: 18,
  markMask: 21,
  filter: 25,
} as const;
/** By the way that it is about, what of that counts. */
const FILTER = { original: 1, reply: 2 } as const;
const sourceCounts = 1 << 0;
const TUPLE = { ip: 1, protocol: 2 } as const;
const IP = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
const PROTOCOL = { number: 1, sourcePort: 2 } as const;
const INFO = { tcp: 1, tcpState: 1, tcpFlags: 4 } as const;
/** `IP_CT_TCP_FLAG_BE_LIBERAL`: its windows are not known. */
const isLiberal = 0x08;
const familyNumber = { any: 0, 4: 2, 6: 10 } as const;

/**
 * A part at a time; of those that come and go meanwhile some may be told twice or not at all.
 *
 * @throws SystemError when the kernel cannot tell
 */
export function* connections(
  netlink: Netlink,
  { marked = 0, source }: ConntrackChoice = {},
): Generator<ConntrackEntry[]> {
  const family = source === undefined ? "any" : familyOf(source.address);
  const body = concatBytes(
    header(family),
    ...(marked === 0 ? [] : [markAttribute(marked), maskAttribute(marked)]),
    // For IPv4 alone: up to 6.18 the kernel leaves out those of IPv6 that have the address.
    ...(source === undefined || family === 6 ? [] : sourceFilter(source)),
  );
  for (const page of netlink.pages(GET, body, "connections")) {
    const entries = page.flatMap((each) => decodeConnection(each) ?? []);
    // Kernels before 5.8 know no filter of addresses, and tell of all.
    yield source === undefined
      ? entries
      : entries.filter((each) => each[source.way].source === source.address);
  }
}

function sourceFilter({ way, address }: NonNullable<ConntrackChoice["source"]>): Uint8Array[] {
  const source = message.attribute(IP.source4, ipBytes(ipOf(address)));
  return [
    message.nested(CTA[way], message.nested(TUPLE.ip, source)),
    message.nested(CTA.filter, message.uint32(FILTER[way], sourceCounts)),
  ];
}

/** False when it has ended by itself. @throws SystemError */
export function forgetConnection(netlink: Netlink, entry: ConntrackEntry): boolean {
  const name = nameIn(entry, CTA.original);
  if (name === undefined) return false;
  return unlessGone(() => netlink.request(DELETE, 0, name, "a connection")) !== undefined;
}

/** The one that announced it; `undefined` when that is there no more. @throws SystemError */
export function masterOf(netlink: Netlink, entry: ConntrackEntry): ConntrackEntry | undefined {
  const name = nameIn(entry, CTA.master);
  if (name === undefined) return undefined;
  const [found] = unlessGone(() => netlink.request(GET, 0, name, "a connection")) ?? [];
  return found === undefined ? undefined : decodeConnection(found);
}

/**
 * Sets the bits of the mark that are in `mask`, and leaves all others.
 *
 * @returns false when it is there no more @throws SystemError
 */
export function markConnection(
  netlink: Netlink,
  entry: ConntrackEntry,
  bits: number,
  mask: number,
): boolean {
  const name = nameIn(entry, CTA.original);
  if (name === undefined) return false;
  const body = concatBytes(name, markAttribute(bits), maskAttribute(mask));
  const answer = unlessGone(() => netlink.request(NEW, 0, body, "the mark of a connection"));
  return answer !== undefined;
}

/** `undefined` for a message that tells of no connection of IP. @throws WeaveError `NETLINK_FORMAT` */
export function decodeConnection({ type, body }: NetlinkMessage): ConntrackEntry | undefined {
  if (type !== NEW) return undefined;
  if (body.length < fixedBytes) throw message.malformed("header", 0);
  // There may be very many: attributes are looked up where they lie.
  const all = body.subarray(fixedBytes);
  const original = tupleOf(message.findAttribute(all, CTA.original));
  const reply = tupleOf(message.findAttribute(all, CTA.reply));
  if (original === undefined || reply === undefined) return undefined;
  const mark = message.findAttribute(all, CTA.mark);
  const tcp = message.findAttribute(message.findAttribute(all, CTA.protocolInfo), INFO.tcp);
  return {
    ...{ original, reply },
    mark: mark?.length === 4 ? readUint32(mark, 0) : 0,
    tcpState: message.findAttribute(tcp, INFO.tcpState)?.[0],
    wasPickedUp: ((message.findAttribute(tcp, INFO.tcpFlags)?.[0] ?? 0) & isLiberal) !== 0,
    hasMaster: message.findAttribute(all, CTA.master) !== undefined,
    told: body,
  };
}

function tupleOf(tuple: Uint8Array | undefined): ConntrackTuple | undefined {
  const ip = message.findAttribute(tuple, TUPLE.ip);
  const source = addressIn(ip, IP.source4, IP.source6);
  const destination = addressIn(ip, IP.destination4, IP.destination6);
  const transport = message.findAttribute(tuple, TUPLE.protocol);
  const protocol = message.findAttribute(transport, PROTOCOL.number)?.[0];
  if (source === undefined || destination === undefined || protocol === undefined) return undefined;
  const port = message.findAttribute(transport, PROTOCOL.sourcePort);
  const sourcePort = port?.length === 2 ? readUint16(port, 0) : undefined;
  return { source, destination, protocol, sourcePort };
}

function addressIn(ip: Uint8Array | undefined, of4: number, of6: number): HostIp | undefined {
  const ipv4 = message.findAttribute(ip, of4);
  if (ipv4?.length === 4) return readUint32(ipv4, 0);
  const ipv6 = message.findAttribute(ip, of6);
  return ipv6?.length === 16 ? formatIp(ipFromBytes(ipv6)) : undefined;
}

/** What a request names a connection by: the original of this one, or of its master, and the zone. */
function nameIn({ original, told }: ConntrackEntry, type: number): Uint8Array | undefined {
  const all = told.subarray(fixedBytes);
  const tuple = message.findAttribute(all, type);
  if (tuple === undefined) return undefined;
  const zone = message.findAttribute(all, CTA.zone);
  return concatBytes(
    header(familyOf(original.source)),
    message.nested(CTA.original, tuple),
    ...(zone === undefined ? [] : [message.attribute(CTA.zone, zone)]),
  );
}

function unlessGone<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function header(family: keyof typeof familyNumber): Uint8Array {
  return Uint8Array.of(familyNumber[family], 0, 0, 0);
}

function markAttribute(bits: number): Uint8Array {
  return message.uint32BigEndian(CTA.mark, bits);
}

function maskAttribute(bits: number): Uint8Array {
  return message.uint32BigEndian(CTA.markMask, bits);
}
