import { WeaveError } from "../../../lib/base/errors.ts";
import type { EnforcerSize, HostEnforcer } from "../../../lib/host/policy/host-enforcer.ts";
import { LogLabels } from "../../../lib/host/policy/log-labels.ts";
import type { RuleSet, RuleSetChange } from "../../../lib/policy/rule-set.ts";

/** A packet filter that remembers what was put there, and can be broken. */
export class MemoryEnforcer implements HostEnforcer {
  readonly name = "nftables";
  readonly labels = new LogLabels();
  /** What was done, in order. */
  readonly deeds: ("replace" | "apply" | "remove")[] = [];
  rules: RuleSet | undefined;
  isBroken = false;
  spoilt = false;

  /** Called after everything that was done. */
  done: () => void = () => {};

  replace(rules: RuleSet): void {
    this.#do("replace");
    this.#take(rules);
    this.spoilt = false;
  }

  apply(_change: RuleSetChange, rules: RuleSet): void {
    this.#do("apply");
    this.#take(rules);
  }

  isSpoilt(): boolean {
    return this.spoilt;
  }

  remove(): void {
    this.#do("remove");
    this.rules = undefined;
    this.done();
  }

  size(): EnforcerSize {
    return { sets: 0, elements: 0, chains: this.rules?.chains.size ?? 0, rules: 0, targets: 0 };
  }

  /** A packet filter has a copy of its own, which outlives whoever made it. */
  #take(rules: RuleSet): void {
    this.rules = structuredClone(rules);
    this.done();
  }

  #do(deed: "replace" | "apply" | "remove"): void {
    this.deeds.push(deed);
    if (!this.isBroken) return;
    throw new WeaveError("BROKEN", "the packet filter is broken", { remedy: "mend it" });
  }
}
