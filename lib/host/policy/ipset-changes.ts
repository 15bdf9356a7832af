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
import type { IpsetBook, SetId } from "./ipset-sets.ts";
import {
  addressElements,
  type Elements,
  noPhases,
  type Phases,
  portElements,
} from "./ipset-step.ts";
import type { SetUsage } from "./set-usage.ts";

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

/**
 * What becomes of sets that are there before and after, and of those that go; also which of them have
 * another name afterwards.
 */
export function changeSets(
  { book, usage }: { readonly book: IpsetBook; readonly usage: SetUsage },
  change: RuleSetChange,
  rules: RuleSet,
): Phases & { readonly swapped: readonly SetId[] } {
  const phases = noPhases();
  const swapped: SetId[] = [];
  for (const { id, add, remove } of changedSets(change)) {
    switch (usage.effectOf(id)) {
      case "opens":
        phases.close.push(...book.remove(id, remove));
        phases.open.push(...book.add(id, add));
        break;
      case "closes":
        phases.close.push(...book.add(id, add));
        phases.open.push(...book.remove(id, remove));
        break;
      case "either": {
        const former = book.stem(id);
        swapped.push(id);
        phases.make.push(...book.create(id, wholeSet(rules, id)));
        phases.destroy.push(...book.destroy(id, former));
      }
    }
  }
  const gone: SetId[] = [
    ...change.sets.remove.map((key) => ({ kind: "a", key }) as const),
    ...change.portSets.remove.map((key) => ({ kind: "p", key }) as const),
  ];
  phases.destroy.push(...gone.flatMap((id) => book.destroy(id)));
  return { ...phases, swapped };
}

interface ChangedSet {
  readonly id: SetId;
  readonly add: Elements;
  readonly remove: Elements;
}

function changedSets({ sets, portSets }: RuleSetChange): ChangedSet[] {
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
function wholeSet({ sets, portSets }: RuleSet, { kind, key }: SetId): Elements {
  return kind === "p"
    ? portElements((portSets.get(key) ?? new Map()).values())
    : addressElements(sets.get(key) ?? []);
}
