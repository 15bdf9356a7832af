import { concatBytes, writeUint32 } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import { familyOf, type HostIp, type IpFamily, ipBytes, tryParseIp } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { PortElement, SetKey } from "../../policy/rule-set.ts";
import * as match from "../netlink/nft-match.ts";
import { jumpData, keyFields, type NftElement, type NftSet } from "../netlink/nft-set.ts";
import { peerSet, portSet, selfSet, targetMap } from "./nft-names.ts";

/** As nf_tables calls them. */
export const transports = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

/** What of a rule set becomes elements of sets in nf_tables: of each family its own. */

const addressField = { 4: keyFields.ipv4, 6: keyFields.ipv6 } as const;

export function emptyPeerSet(family: IpFamily, key: SetKey): NftSet {
  const fields = [addressField[family]];
  return { name: peerSet(family, key), key: fields, elements: [], comment: key };
}

export function emptyPortSet(family: IpFamily, key: SetKey): NftSet {
  const fields = [addressField[family], keyFields.protocol, keyFields.port];
  return { name: portSet(family, key), key: fields, elements: [], comment: key };
}

export function emptyTargetMap(family: IpFamily, direction: Direction): NftSet {
  const key = [addressField[family]];
  return { name: targetMap(direction, family), key, data: "verdict", elements: [] };
}

export function emptySelfSet(family: IpFamily): NftSet {
  const key = [addressField[family], addressField[family]];
  return { name: selfSet(family), key, elements: [] };
}

/** Of those addresses that are of the family. */
export function addressElements(family: IpFamily, addresses: Iterable<HostIp>): NftElement[] {
  const elements: NftElement[] = [];
  for (const address of addresses) {
    if (familyOf(address) === family) elements.push({ key: addressKey(address) });
  }
  return elements;
}

export function portElements(family: IpFamily, ports: Iterable<PortElement>): NftElement[] {
  const elements: NftElement[] = [];
  for (const { address, protocol, port } of ports) {
    if (familyOf(address) !== family) continue;
    const number = match.protocolNumber[transports[protocol]];
    const rest = Uint8Array.of(number, 0, 0, 0, port >>> 8, port, 0, 0);
    elements.push({ key: concatBytes(addressKey(address), rest) });
  }
  return elements;
}

/** @param chain where packets of that address are judged */
export function targetElement(address: HostIp, chain: string): NftElement {
  return { key: addressKey(address), data: jumpData(chain) };
}

export function selfElement(address: HostIp): NftElement {
  const key = addressKey(address);
  return { key: concatBytes(key, key) };
}

function addressKey(address: HostIp): Uint8Array {
  if (typeof address === "number") {
    const key = new Uint8Array(4);
    writeUint32(key, 0, address);
    return key;
  }
  const parsed = tryParseIp(address);
  assert(parsed !== undefined, `an address that is none: ${address}`);
  return ipBytes(parsed);
}
