import { concatBytes, writeUint32 } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import { familyOf, type HostIp, type IpFamily, ipBytes, tryParseIp } from "../../base/ip.ts";
import type { Direction } from "../../policy/objects.ts";
import type { PortElement, RuleSet, RuleSetChange, SetChanges } from "../../policy/rule-set.ts";
import * as match from "../netlink/nft-match.ts";
import {
  goToData,
  jumpData,
  keyFields,
  type NftElement,
  type NftKeyField,
} from "../netlink/nft-set.ts";
import type { SetId } from "./set-usage.ts";

/** As nf_tables calls them. */
export const transports = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

export const addressField = { 4: keyFields.ipv4, 6: keyFields.ipv6 } as const;

/** The fields of a key of a set of addresses, or of ports. */
export function keyOf(family: IpFamily, { kind }: Pick<SetId, "kind">): readonly NftKeyField[] {
  const address = addressField[family];
  return kind === "p" ? [address, keyFields.protocol, keyFields.port] : [address];
}

/** Of a set of these rules, all of the family that it has. */
export function wholeSet(
  family: IpFamily,
  { sets, portSets }: RuleSet,
  { kind, key }: SetId,
): NftElement[] {
  return kind === "p"
    ? portElements(family, portSets.get(key)?.values() ?? [])
    : addressElements(family, sets.get(key) ?? []);
}

/** All sets of these rules. */
export function setIds({ sets, portSets }: Pick<RuleSet, "sets" | "portSets">): SetId[] {
  return [...idsOf("a", sets.keys()), ...idsOf("p", portSets.keys())];
}

export interface ChangedSet {
  readonly id: SetId;
  readonly add: readonly NftElement[];
  readonly remove: readonly NftElement[];
}

/** Those of which something of the family changes. */
export function changedSets(family: IpFamily, { sets, portSets }: RuleSetChange): ChangedSet[] {
  return [
    ...changesOf("a", sets, (elements: readonly HostIp[]) => addressElements(family, elements)),
    ...changesOf("p", portSets, (elements: readonly PortElement[]) =>
      portElements(family, elements),
    ),
  ].filter(({ add, remove }) => add.length + remove.length > 0);
}

export function newSets({ sets, portSets }: RuleSetChange): SetId[] {
  return [...idsOf("a", sets.add.keys()), ...idsOf("p", portSets.add.keys())];
}

export function removedSets({ sets, portSets }: RuleSetChange): SetId[] {
  return [...idsOf("a", sets.remove), ...idsOf("p", portSets.remove)];
}

/** Of those addresses that are of the family. */
export function addressElements(family: IpFamily, addresses: Iterable<HostIp>): NftElement[] {
  const elements: NftElement[] = [];
  for (const address of addresses) {
    if (familyOf(address) === family) elements.push({ key: addressKey(address) });
  }
  return elements;
}

/**
 * @param chain where packets of that address are judged: of the last map of the base chain, whose
 *     chains need not come back, without a way back
 */
export function targetElement(direction: Direction, address: HostIp, chain: string): NftElement {
  const data = direction === "ingress" ? goToData(chain) : jumpData(chain);
  return { key: addressKey(address), data };
}

export function selfElements(family: IpFamily, addresses: Iterable<HostIp>): NftElement[] {
  return addressElements(family, addresses).map(({ key }) => ({ key: concatBytes(key, key) }));
}

function portElements(family: IpFamily, ports: Iterable<PortElement>): NftElement[] {
  const elements: NftElement[] = [];
  for (const { address, protocol, port } of ports) {
    if (familyOf(address) !== family) continue;
    const number = match.protocolNumber[transports[protocol]];
    const rest = Uint8Array.of(number, 0, 0, 0, port >>> 8, port, 0, 0);
    elements.push({ key: concatBytes(addressKey(address), rest) });
  }
  return elements;
}

function changesOf<Element>(
  kind: "a" | "p",
  { change }: SetChanges<Element>,
  encode: (elements: readonly Element[]) => NftElement[],
): ChangedSet[] {
  return Array.from(change, ([key, { add, remove }]) => ({
    id: { kind, key },
    add: encode(add),
    remove: encode(remove),
  }));
}

function idsOf(kind: "a" | "p", keys: Iterable<string>): SetId[] {
  return Array.from(keys, (key) => ({ kind, key }));
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
