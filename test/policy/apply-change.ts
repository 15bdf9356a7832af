import type { HostIp } from "../../lib/base/ip.ts";
import {
  type Chain,
  type ChainKey,
  formatPortElement,
  type PortElement,
  type RuleSet,
  type RuleSetChange,
  type SetChanges,
  type TargetChanges,
} from "../../lib/policy/rule-set.ts";

/** A rule set that goes with the changes that it is told, as a packet filter does. */
export class FollowedRules implements RuleSet {
  readonly sets = new Map<string, Set<HostIp>>();
  readonly portSets = new Map<string, Map<string, PortElement>>();
  readonly chains = new Map<ChainKey, Chain>();
  readonly targets = { ingress: new Map<HostIp, ChainKey>(), egress: new Map<HostIp, ChainKey>() };

  /** @throws Error when something is told that does not fit what is there */
  follow(change: RuleSetChange | undefined): void {
    if (change === undefined) return;
    followSets(change.sets, this.sets, () => new Set<HostIp>(), addressForm);
    followSets(change.portSets, this.portSets, () => new Map<string, PortElement>(), portForm);
    for (const [key, chain] of change.chains.put) this.chains.set(key, chain);
    for (const key of change.chains.remove) must(this.chains.delete(key), `no chain ${key}`);
    followTargets(change.targets.ingress, this.targets.ingress);
    followTargets(change.targets.egress, this.targets.egress);
    this.#checkReferences();
  }

  #checkReferences(): void {
    for (const { tiers } of this.chains.values()) {
      for (const { peer, ports } of tiers.flat()) {
        if (peer.kind === "set") must(this.sets.has(peer.set), `no set ${peer.set}`);
        for (const port of ports === "any" ? [] : ports) {
          if (port.kind === "set") must(this.portSets.has(port.set), `no set ${port.set}`);
        }
      }
    }
    for (const targets of [this.targets.ingress, this.targets.egress]) {
      for (const key of targets.values()) must(this.chains.has(key), `no chain ${key}`);
    }
  }
}

interface Form<Told, Element> {
  has(told: Told, element: Element): boolean;
  add(told: Told, element: Element): void;
  delete(told: Told, element: Element): void;
}

const addressForm: Form<Set<HostIp>, HostIp> = {
  has: (told, address) => told.has(address),
  add: (told, address) => told.add(address),
  delete: (told, address) => told.delete(address),
};

const portForm: Form<Map<string, PortElement>, PortElement> = {
  has: (told, element) => told.has(formatPortElement(element)),
  add: (told, element) => told.set(formatPortElement(element), element),
  delete: (told, element) => told.delete(formatPortElement(element)),
};

function followSets<Told, Element>(
  { add, change, remove }: SetChanges<Element>,
  sets: Map<string, Told>,
  empty: () => Told,
  form: Form<Told, Element>,
): void {
  for (const [key, elements] of add) {
    must(!sets.has(key), `set ${key} is there already`);
    const told = empty();
    for (const element of elements) form.add(told, element);
    sets.set(key, told);
  }
  for (const [key, changes] of change) {
    const told = sets.get(key)!;
    must(told !== undefined, `no set ${key}`);
    for (const element of changes.add) {
      must(!form.has(told, element), `${element} is in ${key} already`);
      form.add(told, element);
    }
    for (const element of changes.remove) {
      must(form.has(told, element), `${element} is not in ${key}`);
      form.delete(told, element);
    }
  }
  for (const key of remove) must(sets.delete(key), `no set ${key}`);
}

function followTargets({ put, remove }: TargetChanges, targets: Map<HostIp, ChainKey>): void {
  for (const [address, key] of put) targets.set(address, key);
  for (const address of remove) must(targets.delete(address), `no target ${address}`);
}

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}
