import { isSystemError } from "../../ffi/system-error.ts";
import { type Exposed, exposedChains } from "./exposed-rules.ts";
import { type GuardedPorts, guardChain } from "./guarded-ports.ts";
import {
  deleteTable,
  listRules,
  type NftTable,
  replaceTable,
  rulesGeneration,
} from "./netlink/nftables.ts";
import { openNetfilter } from "./netlink/open.ts";

/** The router's own table of packet filter rules; nobody else's rules are ever touched. */
export const firewallTable = { family: "ip", name: "weave" } as const;

export interface FirewallOptions {
  readonly bridge: string;
  readonly guarded?: GuardedPorts;
}

/**
 * All packet filter rules of the router, declared as a whole and put in place in one transaction.
 * Acts on the thread's network namespace.
 */
export class Firewall {
  readonly #options: FirewallOptions;
  #exposed: readonly Exposed[] | undefined;
  /** How the kernel's rules were when ours were in place: as a whole, and ours one by one. */
  #inPlace: { readonly generation: number; readonly rules: string } | undefined;

  constructor(options: FirewallOptions) {
    this.#options = options;
  }

  /** Puts the rules for these addresses and for the guarded ports in place. @throws SystemError */
  apply(exposed: readonly Exposed[]): void {
    this.#exposed = exposed;
    this.#inPlace = undefined;
    using netfilter = openNetfilter();
    try {
      replaceTable(netfilter, this.#table(exposed));
      this.#inPlace = { generation: rulesGeneration(netfilter), rules: ownRules(netfilter) };
    } catch (error) {
      // Exposed addresses do not work without rules: a kernel without them can do without any.
      if (exposed.length > 0 || !isSystemError(error, "EOPNOTSUPP")) throw error;
    }
  }

  /**
   * Puts the rules back when somebody has changed or deleted one of them since {@link apply}; says
   * whether that was so. Costs one question while nobody changes any rule. @throws SystemError
   */
  mend(): boolean {
    const [exposed, inPlace] = [this.#exposed, this.#inPlace];
    if (exposed === undefined || inPlace === undefined) return false;
    {
      using netfilter = openNetfilter();
      const generation = rulesGeneration(netfilter);
      if (generation === inPlace.generation) return false;
      if (ownRules(netfilter) === inPlace.rules) {
        this.#inPlace = { ...inPlace, generation };
        return false;
      }
    }
    this.apply(exposed);
    return true;
  }

  #table(exposed: readonly Exposed[]): NftTable {
    const { bridge, guarded } = this.#options;
    const guard = guarded === undefined ? [] : [guardChain(guarded)];
    return { ...firewallTable, chains: [...guard, ...exposedChains(bridge, exposed)] };
  }
}

/** Every rule of ours by its chain and handle: a rule that was made anew has another one. */
function ownRules(netfilter: ReturnType<typeof openNetfilter>): string {
  return listRules(netfilter, firewallTable)
    .map(({ chain, handle }) => `${chain} ${handle}`)
    .join();
}

/** Removes all of the router's rules; false when there were none. @throws SystemError */
export function removeFirewall(): boolean {
  using netfilter = openNetfilter();
  return deleteTable(netfilter, firewallTable);
}
