import type { HostIp } from "../../base/ip.ts";
import type {
  AddressSet,
  PortElement,
  PortSet,
  RuleSet,
  RuleSetChange,
  SetChanges,
  SetKey,
} from "../../policy/rule-set.ts";
import type { SetId } from "./ipset-sets.ts";
import { addressElements, type Elements, portElements } from "./ipset-step.ts";

/** Sets of addresses and of ports, alike for who makes them. */
export interface NewSet {
  readonly id: SetId;
  readonly elements: Elements;
}

export function newSets(
  sets: ReadonlyMap<SetKey, AddressSet | readonly HostIp[]>,
  portSets: ReadonlyMap<SetKey, PortSet | readonly PortElement[]>,
): NewSet[] {
  return [
    ...Array.from(sets, ([key, addresses]): NewSet => {
      return { id: { kind: "a", key }, elements: addressElements(addresses) };
    }),
    ...Array.from(portSets, ([key, ports]): NewSet => {
      return { id: { kind: "p", key }, elements: portElements(ports.values()) };
    }),
  ];
}

export interface ChangedSet {
  readonly id: SetId;
  readonly add: Elements;
  readonly remove: Elements;
}

export function changedSets({ sets, portSets }: RuleSetChange): ChangedSet[] {
  return [...changesOf("a", sets, addressElements), ...changesOf("p", portSets, portElements)];
}

function changesOf<Element>(
  kind: "a" | "p",
  { change }: SetChanges<Element>,
  encode: (elements: readonly Element[]) => Elements,
): ChangedSet[] {
  return Array.from(change, ([key, { add, remove }]) => {
    return { id: { kind, key }, add: encode(add), remove: encode(remove) };
  });
}

/** All elements of a set of these rules. */
export function wholeSet({ sets, portSets }: RuleSet, { kind, key }: SetId): Elements {
  return kind === "p"
    ? portElements((portSets.get(key) ?? new Map()).values())
    : addressElements(sets.get(key) ?? []);
}
