import { utf8 } from "../../base/bytes.ts";
import { type Cidr, type IpFamily, ipBits, ipBytes, networkOf } from "../../base/ip.ts";
import * as message from "./message.ts";
import {
  bitwise,
  COMPARE,
  compare,
  expression,
  HEADER,
  keyRegister,
  lookup,
  META,
  meta,
  payload,
  register,
} from "./nft-expression.ts";

/** What a packet may have: the expressions of a rule that let only such packets get further. */

const familyNumber = { 4: 2, 6: 10 } as const;
export const protocolNumber = { tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;
const interfaceNameBytes = 16;
const lastPort = 0xffff;
/** From the beginning of a header of IP. */
const addressOffset = {
  4: { source: 12, destination: 16 },
  6: { source: 8, destination: 24 },
} as const;
const addressBytes = { 4: 4, 6: 16 } as const;

export type AddressField = "source" | "destination";

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

/** Packets of connections whose mark has one of these bits, or that belong to one. */
export function connectionMarked(bits: number): Uint8Array[] {
  const markKey = 3;
  return [
    expression("ct", message.uint32BigEndian(1, register), message.uint32BigEndian(2, markKey)),
    bitwise(Uint8Array.of(bits, bits >>> 8, bits >>> 16, bits >>> 24)),
    compare(COMPARE.notEqual, new Uint8Array(4)),
  ];
}

export function inputInterface(name: string, equal = true): Uint8Array[] {
  return interfaceName(META.inputInterfaceName, name, equal);
}

export function outputInterface(name: string, equal = true): Uint8Array[] {
  return interfaceName(META.outputInterfaceName, name, equal);
}

/** In a table of both families; all that is said of addresses must come behind it there. */
export function ofFamily(family: IpFamily): Uint8Array[] {
  return [meta(META.family), compare(COMPARE.equal, Uint8Array.of(familyNumber[family]))];
}

/** Packets whose source address lies (or, for `equal` false, does not lie) in the network. */
export function source(network: Cidr, equal = true): Uint8Array[] {
  return addressIn("source", network, equal);
}

/** Packets whose destination address lies (or does not lie) in the network. */
export function destination(network: Cidr, equal = true): Uint8Array[] {
  return addressIn("destination", network, equal);
}

/** Packets with an address in the network of its family. */
export function addressIn(field: AddressField, network: Cidr, equal = true): Uint8Array[] {
  const { address, prefix } = networkOf(network);
  return [
    loadAddress(field, address.family),
    ...(prefix === ipBits(address.family) ? [] : [bitwise(maskBytes(network))]),
    compare(equal ? COMPARE.equal : COMPARE.notEqual, ipBytes(address)),
  ];
}

/** Packets with an address from `first` to `last`, both of one family and included. */
export function addressFrom(
  field: AddressField,
  first: Cidr["address"],
  last: Cidr["address"],
): Uint8Array[] {
  return [
    loadAddress(field, first.family),
    compare(COMPARE.atLeast, ipBytes(first)),
    compare(COMPARE.atMost, ipBytes(last)),
  ];
}

/** Packets with an address of this family that is in the set. */
export function addressInSet(field: AddressField, family: IpFamily, set: string): Uint8Array[] {
  return [loadAddress(field, family), lookup(set, register)];
}

/** Packets whose source and destination of this family are together in the set. */
export function addressPairInSet(family: IpFamily, set: string): Uint8Array[] {
  const second = keyRegister + addressBytes[family] / 4;
  return [
    loadAddress("source", family, keyRegister),
    loadAddress("destination", family, second),
    lookup(set, keyRegister),
  ];
}

/** Packets whose destination address of this family, protocol and port are together in the set. */
export function destinationPortInSet(family: IpFamily, set: string): Uint8Array[] {
  const second = keyRegister + addressBytes[family] / 4;
  return [
    loadAddress("destination", family, keyRegister),
    meta(META.transportProtocol, second),
    payload(HEADER.transport, 2, 2, second + 1),
    lookup(set, keyRegister),
  ];
}

/** Packets of this protocol to one of the ports from `first` to `last`. */
export function destinationPort(
  protocol: "tcp" | "udp" | "sctp",
  first: number,
  last = first,
): Uint8Array[] {
  const ofProtocol = [
    meta(META.transportProtocol),
    compare(COMPARE.equal, Uint8Array.of(protocolNumber[protocol])),
  ];
  if (first === 0 && last === lastPort) return ofProtocol;
  const port = payload(HEADER.transport, 2, 2);
  if (first === last) return [...ofProtocol, port, compare(COMPARE.equal, portBytes(first))];
  return [
    ...ofProtocol,
    port,
    compare(COMPARE.atLeast, portBytes(first)),
    compare(COMPARE.atMost, portBytes(last)),
  ];
}

/** Messages of ICMPv6 whose type is one of those from `first` to `last`. */
export function icmpv6Type(first: number, last = first): Uint8Array[] {
  return [
    meta(META.transportProtocol),
    compare(COMPARE.equal, Uint8Array.of(protocolNumber.icmpv6)),
    payload(HEADER.transport, 0, 1),
    ...(first === last
      ? [compare(COMPARE.equal, Uint8Array.of(first))]
      : [
          compare(COMPARE.atLeast, Uint8Array.of(first)),
          compare(COMPARE.atMost, Uint8Array.of(last)),
        ]),
  ];
}

/** UDP packets that carry no checksum, which IPv4 allows (RFC 768). */
export function withoutUdpChecksum(): Uint8Array[] {
  return [payload(HEADER.transport, 6, 2), compare(COMPARE.equal, new Uint8Array(2))];
}

export function loadAddress(field: AddressField, family: IpFamily, into = register): Uint8Array {
  return payload(HEADER.network, addressOffset[family][field], addressBytes[family], into);
}

function interfaceName(key: number, name: string, equal: boolean): Uint8Array[] {
  const padded = new Uint8Array(interfaceNameBytes);
  padded.set(utf8(name).subarray(0, interfaceNameBytes - 1));
  return [meta(key), compare(equal ? COMPARE.equal : COMPARE.notEqual, padded)];
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >>> 8, port & 0xff);
}

function maskBytes(network: Cidr): Uint8Array {
  const mask = new Uint8Array(ipBits(network.address.family) / 8);
  for (let bit = 0; bit < network.prefix; bit++) mask[bit >> 3]! |= 0x80 >> (bit & 7);
  return mask;
}
