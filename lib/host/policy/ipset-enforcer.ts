import { familyOf, type IpFamily } from "../../base/ip.ts";
import { judgesAnybody } from "../../policy/link-local.ts";
import type { Direction } from "../../policy/objects.ts";
import type { RuleSet, RuleSetChange } from "../../policy/rule-set.ts";
import { hasIpv6 } from "../firewall/firewall.ts";
import { Iptables, isTableInUse, programsOf, usualProgram } from "../firewall/iptables.ts";
import { hasIpsets } from "../netlink/ipset.ts";
import { openNetfilter } from "../netlink/open.ts";
import { hideFromFilters, passesFilters, showToFilters } from "./bridged-packets.ts";
import type { EnforcerOptions, EnforcerSize, HostEnforcer } from "./host-enforcer.ts";
import { isCut, sameEnds } from "./ipset-entry.ts";
import { destroySets, IpsetKernel, ourSets, removeChains } from "./ipset-kernel.ts";
import { IpsetLayout } from "./ipset-layout.ts";
import { LogLabels } from "./log-labels.ts";

/** Programs by the family whose rules they know. */
export type IptablesPrograms = ReadonlyMap<IpFamily, string>;

const families = [4, 6] as const;

function usualPrograms(): IptablesPrograms {
  return new Map(families.map((family) => [family, usualProgram(family)]));
}

/**
 * Policies by `iptables` and sets of the kernel (kubernetes.md §8), for hosts whose kernel has no
 * nf_tables, or whose operator wants all rules in one place. {@link IpsetLayout} says what is done
 * in which order, {@link IpsetKernel} does it.
 */
export class IpsetEnforcer implements HostEnforcer {
  readonly name = "iptables";
  readonly labels = new LogLabels();
  readonly #options: EnforcerOptions;
  readonly #programs: ReadonlyMap<IpFamily, Iptables>;
  readonly #kernel: IpsetKernel;
  #comparesEnds: boolean | undefined;
  #canGuard: boolean | undefined;
  /** Whether anybody is judged by the latest rules. */
  #judgesAnybody = false;
  /** What is in place; `undefined` before {@link replace}, and when a change failed half-way. */
  #layout: IpsetLayout | undefined;

  /** @param programs default {@link usualProgram} */
  constructor(options: EnforcerOptions, programs: IptablesPrograms = usualPrograms()) {
    this.#options = options;
    this.#programs = new Map(
      Array.from(programs, ([family, name]) => [family, new Iptables(name)]),
    );
    this.#kernel = new IpsetKernel(this.#programs);
  }

  replace(rules: RuleSet): void {
    const { bridge, multicast, dropsCut = false } = this.#options;
    showToFilters(bridge);
    this.#layout = undefined;
    this.#comparesEnds ??= this.#asksWhetherEndsCompare();
    const families = this.#familiesOf(rules);
    const guarded = this.#guardedOf(rules, families);
    const entry = {
      ...{ bridge, multicast, comparesEnds: this.#comparesEnds, dropsCut },
      judgesAnybody: judgesAnybody(rules),
      labelOf: (direction: Direction, origin: string) => this.labels.labelOf(direction, origin),
    };
    const layout = new IpsetLayout(families, entry, guarded);
    for (const [family, program] of this.#programs) {
      if (![...families, ...guarded].includes(family)) removeChains(program);
    }
    this.#kernel.replace(layout.replace(rules, this.#kernel.sets(), this.#kernel.chains()));
    this.#layout = layout;
    this.#judgesAnybody = entry.judgesAnybody;
  }

  apply(change: RuleSetChange, rules: RuleSet): void {
    const layout = this.#layout;
    const isOther =
      this.#familiesOf(rules).length > (layout?.families.length ?? 0) ||
      judgesAnybody(rules) !== this.#judgesAnybody;
    if (layout === undefined || isOther) {
      this.replace(rules);
      return;
    }
    this.#layout = undefined;
    this.#kernel.change(layout.change(change, rules, this.#kernel.leaving));
    this.#layout = layout;
  }

  isSpoilt(): boolean {
    if (this.#layout === undefined || !passesFilters(this.#options.bridge)) return true;
    return this.#kernel.isSpoilt(this.#layout.setSizes);
  }

  remove(): void {
    this.#layout = undefined;
    for (const program of this.#programs.values()) removeChains(program);
    destroySets(ourSets);
    hideFromFilters(this.#options.bridge);
  }

  size(): EnforcerSize {
    const sizes = [...(this.#layout?.setSizes.values() ?? [])];
    return {
      sets: sizes.length,
      elements: sizes.reduce((sum, size) => sum + size, 0),
      ...(this.#layout?.chainSizes() ?? { chains: 0, rules: 0 }),
      targets: this.#layout?.targetCount ?? 0,
    };
  }

  /** There is nothing of IPv6 while no pod has such an address. */
  #familiesOf({ targets }: RuleSet): IpFamily[] {
    const judges = (family: IpFamily): boolean =>
      (this.#options.multicast === "deny" && hasIpv6()) ||
      [targets.ingress, targets.egress].some((each) =>
        each.keys().some((ip) => familyOf(ip) === family),
      );
    return [...this.#programs.keys()].filter((family) => family === 4 || judges(family));
  }

  /** Who is judged by addresses of IPv4 alone has a link-local one besides, where there is IPv6. */
  #guardedOf(rules: RuleSet, families: readonly IpFamily[]): IpFamily[] {
    // A kernel keeps track of connections of a family, their beginnings too, while some rule asks for it.
    const isAsked = judgesAnybody(rules) || this.#options.dropsCut === true;
    if (families.includes(6) || !isAsked || !hasIpv6()) return [];
    this.#canGuard ??= this.#asksWhetherGuards();
    return this.#canGuard ? [6] : [];
  }

  #asksWhetherGuards(): boolean {
    const guards = this.#kernel.knows(6, "");
    if (!guards) {
      this.#options.log.warn(
        "containers can go round policies by link-local addresses of IPv6: there is no ip6tables",
      );
    }
    return guards;
  }

  #asksWhetherEndsCompare(): boolean {
    const compares = this.#kernel.knows(4, sameEnds(4));
    if (!compares) {
      this.#options.log.info(
        "what a pod says to itself through a service is judged by its policies: " +
          "the kernel has no match bpf for iptables",
      );
    }
    return compares;
  }
}

/** Whether this host has what {@link IpsetEnforcer} needs; a clause that says what it has not. */
export function missingForIpsets(): string | undefined {
  if (new Iptables(usualProgram(4)).speech === undefined) return "there is no iptables";
  using netlink = openNetfilter();
  return hasIpsets(netlink) ? undefined : "the kernel has no ip_set";
}

/** Whether rules of iptables can tell connections that were cut; a clause that says why not. */
export function missingForConnectionMarks(): string | undefined {
  const programs = new Map([[4 as const, new Iptables(usualProgram(4))]]);
  if (new IpsetKernel(programs).knows(4, isCut)) return undefined;
  return "the kernel has no match connmark for iptables";
}

/** Removes what an {@link IpsetEnforcer} of any process has left. @throws WeaveError, SystemError */
export function removeIpsetPolicies(): void {
  for (const family of families) {
    if (!isTableInUse("mangle", family)) continue;
    for (const program of programsOf(family)) removeChains(new Iptables(program));
  }
  destroySets(ourSets);
}
