import { concatBytes, utf8 } from "../../base/bytes.ts";
import { type Cidr, ipBits, ipBytes, networkOf } from "../../base/ip.ts";
import * as message from "./message.ts";

/**
 * Expressions of nf_tables rules (linux/netfilter/nf_tables.h): each loads something into register
 * 1 and compares it, or decides what happens to the packet. The numbers in nf_tables attributes are
 * big-endian; the data in registers lies there as in the packet or, for the kernel's own values, in
 * the machine's order.
 */
const register = 1;
const EXPRESSION = { name: 1, data: 2 } as const;
const DATA = { value: 1, verdict: 2 } as const;
const COMPARE = { equal: 0, notEqual: 1 } as const;
const META = {
  mark: 3,
  inputInterfaceName: 6,
  outputInterfaceName: 7,
  transportProtocol: 16,
} as const;
const HEADER = { network: 1, transport: 2 } as const;
const protocolNumber = { tcp: 6, udp: 17 } as const;
const interfaceNameBytes = 16;

/** Packets of connections that are known already, or belong to one. */
export function connectionKnown(): Uint8Array[] {
  const stateKey = 0;
  const established = 2;
  const related = 4;
  return [
    expression("ct", message.uint32BigEndian(1, register), message.uint32BigEndian(2, stateKey)),
    bitwise(Uint8Array.of(established | related, 0, 0, 0)),
    compare(COMPARE.notEqual, new Uint8Array(4)),
  ];
}

export function inputInterface(name: string, equal = true): Uint8Array[] {
  return interfaceName(META.inputInterfaceName, name, equal);
}

export function outputInterface(name: string, equal = true): Uint8Array[] {
  return interfaceName(META.outputInterfaceName, name, equal);
}

/** Packets whose source address lies (or, for `equal` false, does not lie) in the network. */
export function source(network: Cidr, equal = true): Uint8Array[] {
  return addressIn(network, network.address.family === 4 ? 12 : 8, equal);
}

/** Packets whose destination address lies (or does not lie) in the network. */
export function destination(network: Cidr, equal = true): Uint8Array[] {
  return addressIn(network, network.address.family === 4 ? 16 : 24, equal);
}

/** Packets of this protocol to this port. */
export function destinationPort(protocol: "tcp" | "udp", port: number): Uint8Array[] {
  return [
    meta(META.transportProtocol),
    compare(COMPARE.equal, Uint8Array.of(protocolNumber[protocol])),
    payload(HEADER.transport, 2, 2),
    compare(COMPARE.equal, Uint8Array.of(port >>> 8, port & 0xff)),
  ];
}

/** UDP packets that carry no checksum, which IPv4 allows (RFC 768). */
export function withoutUdpChecksum(): Uint8Array[] {
  return [payload(HEADER.transport, 6, 2), compare(COMPARE.equal, new Uint8Array(2))];
}

/** A part of the packet: `bytes` of it from `offset` in the header. */
export interface PacketField {
  readonly header: keyof typeof HEADER;
  readonly offset: number;
  readonly bytes: number;
}

/** The packet's mark becomes what the map has for these fields; a packet that is not in it goes no further. */
export function markByMap(map: string, fields: readonly PacketField[]): Uint8Array[] {
  // Registers of four octets each, which fields of a key fill one by one.
  const first = 8;
  const found = first + fields.length;
  return [
    ...fields.map(({ header, offset, bytes }, index) =>
      payload(HEADER[header], offset, bytes, first + index),
    ),
    expression(
      "lookup",
      message.text(1, map),
      message.uint32BigEndian(2, first),
      message.uint32BigEndian(3, found),
    ),
    expression("meta", message.uint32BigEndian(2, META.mark), message.uint32BigEndian(3, found)),
  ];
}

/** The packet goes to another UDP port of this host. It must not have a checksum: none is updated. */
export function redirectUdp(port: number): Uint8Array[] {
  return [
    expression(
      "immediate",
      message.uint32BigEndian(1, register),
      message.nested(2, message.attribute(DATA.value, Uint8Array.of(port >>> 8, port & 0xff))),
    ),
    expression(
      "payload",
      message.uint32BigEndian(2, HEADER.transport),
      message.uint32BigEndian(3, 2),
      message.uint32BigEndian(4, 2),
      message.uint32BigEndian(5, register),
    ),
  ];
}

export function counter(): Uint8Array {
  return expression("counter");
}

export function masquerade(): Uint8Array {
  return expression("masq");
}

export function accept(): Uint8Array {
  return verdict(1);
}

export function drop(): Uint8Array {
  return verdict(0);
}

/** Back to the chain that jumped here; from a base chain, its policy. */
export function leaveChain(): Uint8Array {
  return verdict(-5);
}

function verdict(code: number): Uint8Array {
  const verdictRegister = 0;
  const VERDICT_CODE = 1;
  return expression(
    "immediate",
    message.uint32BigEndian(1, verdictRegister),
    message.nested(2, message.nested(DATA.verdict, message.uint32BigEndian(VERDICT_CODE, code))),
  );
}

function interfaceName(key: number, name: string, equal: boolean): Uint8Array[] {
  const padded = new Uint8Array(interfaceNameBytes);
  padded.set(utf8(name).subarray(0, interfaceNameBytes - 1));
  return [meta(key), compare(equal ? COMPARE.equal : COMPARE.notEqual, padded)];
}

/** Loads what the kernel knows of the packet beside its octets. */
function meta(key: number): Uint8Array {
  return expression("meta", message.uint32BigEndian(1, register), message.uint32BigEndian(2, key));
}

function addressIn(network: Cidr, offset: number, equal: boolean): Uint8Array[] {
  const bytes = ipBytes(networkOf(network).address);
  const mask = maskBytes(network);
  return [
    payload(HEADER.network, offset, bytes.length),
    ...(network.prefix === ipBits(network.address.family) ? [] : [bitwise(mask)]),
    compare(equal ? COMPARE.equal : COMPARE.notEqual, bytes),
  ];
}

function maskBytes(network: Cidr): Uint8Array {
  const mask = new Uint8Array(ipBits(network.address.family) / 8);
  for (let bit = 0; bit < network.prefix; bit++) mask[bit >> 3]! |= 0x80 >> (bit & 7);
  return mask;
}

function payload(header: number, offset: number, length: number, into = register): Uint8Array {
  return expression(
    "payload",
    message.uint32BigEndian(1, into),
    message.uint32BigEndian(2, header),
    message.uint32BigEndian(3, offset),
    message.uint32BigEndian(4, length),
  );
}

/** Keeps the bits of register 1 that are set in `mask`. */
function bitwise(mask: Uint8Array): Uint8Array {
  return expression(
    "bitwise",
    message.uint32BigEndian(1, register),
    message.uint32BigEndian(2, register),
    message.uint32BigEndian(3, mask.length),
    message.nested(4, message.attribute(DATA.value, mask)),
    message.nested(5, message.attribute(DATA.value, new Uint8Array(mask.length))),
  );
}

function compare(operation: number, value: Uint8Array): Uint8Array {
  return expression(
    "cmp",
    message.uint32BigEndian(1, register),
    message.uint32BigEndian(2, operation),
    message.nested(3, message.attribute(DATA.value, value)),
  );
}

function expression(name: string, ...attributes: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    message.text(EXPRESSION.name, name),
    message.nested(EXPRESSION.data, ...attributes),
  );
}
