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

  replace(rules: RuleSet): void {
    this.#do("replace");
    this.rules = rules;
    this.spoilt = false;
  }

  apply(_change: RuleSetChange, rules: RuleSet): void {
    this.#do("apply");
    this.rules = rules;
  }

  isSpoilt(): boolean {
    return this.spoilt;
  }

  remove(): void {
    this.#do("remove");
    this.rules = undefined;
  }

  size(): EnforcerSize {
    return { sets: 0, elements: 0, chains: this.rules?.chains.size ?? 0, rules: 0, targets: 0 };
  }

  #do(deed: "replace" | "apply" | "remove"): void {
    this.deeds.push(deed);
    if (!this.isBroken) return;
    throw new WeaveError("BROKEN", "the packet filter is broken", { remedy: "mend it" });
  }
}
