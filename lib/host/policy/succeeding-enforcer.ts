import { errorText } from "../../base/errors.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import type { EnforcerOptions, EnforcerSize, HostEnforcer } from "./host-enforcer.ts";

/**
 * An enforcer that others have enforced before: an original's policy controller, or one of ours by
 * the other packet filter. What they have left goes when its own rules stand: until then both must
 * allow, so that no moment is more open than the others.
 */
export class SucceedingEnforcer implements HostEnforcer {
  readonly #own: HostEnforcer;
  readonly #removeOthers: () => void;
  readonly #log: EnforcerOptions["log"];
  #isAlone = false;

  /** @param removeOthers may throw, and is then called again with the next {@link replace} */
  constructor(own: HostEnforcer, removeOthers: () => void, log: EnforcerOptions["log"]) {
    this.#own = own;
    this.#removeOthers = removeOthers;
    this.#log = log;
  }

  get name(): HostEnforcer["name"] {
    return this.#own.name;
  }

  get labels(): HostEnforcer["labels"] {
    return this.#own.labels;
  }

  replace(rules: RuleSet): void {
    this.#own.replace(rules);
    this.#beAlone();
  }

  apply(change: RuleSetChange, rules: RuleSet): void {
    this.#own.apply(change, rules);
  }

  isSpoilt(): boolean {
    return this.#own.isSpoilt();
  }

  remove(): void {
    this.#own.remove();
    this.#beAlone();
  }

  size(): EnforcerSize {
    return this.#own.size();
  }

  #beAlone(): void {
    if (this.#isAlone) return;
    try {
      this.#removeOthers();
      this.#isAlone = true;
    } catch (error) {
      this.#log.warn(`policy: what others have enforced here before stays: ${errorText(error)}`);
    }
  }
}
