import { isDeepStrictEqual } from "node:util";
import type { Direction } from "../../../lib/policy/objects.ts";
import type {
  ChainKey,
  RuleSet,
  RuleSetChange,
  SetChanges,
  SetKey,
} from "../../../lib/policy/rule-set.ts";

/** What has to be done to get from one rule set to another. */
export function changeBetween(before: RuleSet, after: RuleSet): RuleSetChange {
  const targets = (direction: Direction) => {
    const [old, now] = [before.targets[direction], after.targets[direction]];
    return {
      put: new Map([...now].filter(([ip, key]) => old.get(ip) !== key)),
      remove: [...old.keys()].filter((ip) => !now.has(ip)),
    };
  };
  const put = [...after.chains].filter(
    ([key, chain]) => !isDeepStrictEqual(before.chains.get(key), chain),
  );
  return {
    sets: setChanges(before.sets, after.sets, (set) => [...set]),
    portSets: setChanges(before.portSets, after.portSets, (set) => [...set.values()]),
    chains: { put: new Map(put), remove: goneOf<ChainKey>(before.chains, after.chains) },
    targets: { ingress: targets("ingress"), egress: targets("egress") },
  };
}

function setChanges<Whole, Element>(
  before: ReadonlyMap<SetKey, Whole>,
  after: ReadonlyMap<SetKey, Whole>,
  elements: (whole: Whole) => Element[],
): SetChanges<Element> {
  const without = (these: Element[], those: Element[]) => {
    const texts = new Set(those.map((each) => JSON.stringify(each)));
    return these.filter((each) => !texts.has(JSON.stringify(each)));
  };
  const staying = [...after].filter(([key]) => before.has(key));
  const change = staying.map(([key, whole]) => {
    const [old, now] = [elements(before.get(key)!), elements(whole)];
    return [key, { add: without(now, old), remove: without(old, now) }] as const;
  });
  return {
    add: new Map(
      [...after].filter(([key]) => !before.has(key)).map(([key, whole]) => [key, elements(whole)]),
    ),
    remove: goneOf(before, after),
    change: new Map(change.filter(([, { add, remove }]) => add.length + remove.length > 0)),
  };
}

function goneOf<Key>(before: ReadonlyMap<Key, unknown>, after: ReadonlyMap<Key, unknown>): Key[] {
  return [...before.keys()].filter((key) => !after.has(key));
}
