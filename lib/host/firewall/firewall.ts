import { existsSync } from "node:fs";
import { isSystemError } from "../../../ffi/system-error.ts";
import { errorText, WeaveError } from "../../base/errors.ts";
import type { Cidr, IpFamily } from "../../base/ip.ts";
import { type Log, silentLog } from "../../base/world.ts";
import { hasNftables, nftablesGeneration } from "../own-table.ts";
import { type Exposed, exposedChains } from "./exposed-rules.ts";
import { type GuardedPorts, guardChains } from "./guarded-ports.ts";
import { programsOf, speechOf, usualProgram } from "./iptables.ts";
import { IptablesBackend, removeIptables } from "./iptables-backend.ts";
import { NftablesBackend, removeNftables } from "./nftables-backend.ts";
import type { FirewallBackend, PacketChain } from "./packet-rule.ts";

/** By what rules are put in place on a host. */
export interface FirewallBackends {
  /** All rules are there; `undefined` where the host has nothing that could hold any. */
  readonly own: FirewallBackend | undefined;
  /** The same for those of IPv6; `undefined` also on a host without that. */
  readonly ownIpv6: FirewallBackend | undefined;
  /** Where other programs may drop what is forwarded, and so have to see an accept of ours. */
  readonly others: readonly IptablesBackend[];
}

export interface FirewallOptions {
  readonly bridge: string;
  readonly guarded?: GuardedPorts;
  readonly log?: Log;
  /** Default {@link chooseBackends}. */
  readonly backends?: FirewallBackends;
}

const [program, legacyProgram] = programsOf(4);

/**
 * By what the kernel has: a table of our own where it knows nf_tables, and iptables, whichever half
 * of the kernel that speaks to, where others filter; for everything where there is no nf_tables.
 */
export function chooseBackends(): FirewallBackends {
  const speech = speechOf(program);
  if (!hasNftables()) {
    const ownIpv6 = hasIpv6() ? withProgram(usualProgram(6)) : undefined;
    return { own: withProgram(usualProgram(4)), ownIpv6, others: [] };
  }
  // Both halves may have rules, and a packet has to get past both.
  const programs = speech === "legacy" ? [program] : [program, legacyProgram];
  return {
    own: new NftablesBackend(4),
    ownIpv6: hasIpv6() ? new NftablesBackend(6) : undefined,
    others: programs.map((each) => new IptablesBackend({ program: each, onlyWhereFiltered: true })),
  };
}

/** All rules of a family, by a program that may be missing. */
function withProgram(each: string): IptablesBackend | undefined {
  return speechOf(each) === undefined
    ? undefined
    : new IptablesBackend({ program: each, onlyWhereFiltered: false });
}

/** Whether the kernel has it, switched on or not. */
export function hasIpv6(): boolean {
  return existsSync("/proc/thread-self/net/if_inet6");
}

/**
 * All packet filter rules of the router, declared as a whole. Acts on the thread's network
 * namespace.
 */
export class Firewall {
  readonly #options: FirewallOptions;
  readonly #backends: FirewallBackends;
  readonly #log: Log;
  /** What the last attempts met where rules are good to have, and not needed: said once. */
  readonly #troubles = new Map<string, string>();

  constructor(options: FirewallOptions) {
    this.#options = options;
    this.#backends = options.backends ?? chooseBackends();
    this.#log = options.log ?? silentLog;
  }

  /** Where there are rules of ours, as an operator knows it. */
  get inUse(): string[] {
    const { own, ownIpv6, others } = this.#backends;
    const ipv6 = this.#troubles.get(ownIpv6?.name ?? "") === "" ? ownIpv6 : undefined;
    const inUse = [own, ipv6, ...others.filter(({ isInUse }) => isInUse)];
    return [...new Set(inUse.flatMap((each) => each?.name ?? []))];
  }

  /**
   * Puts the rules for these addresses and for the guarded ports in place.
   *
   * @param unmasked networks towards which nothing is masqueraded
   * @throws WeaveError `FIREWALL_NONE`, `IPTABLES_FAILED`; SystemError
   */
  apply(exposed: readonly Exposed[], unmasked: readonly Cidr[] = []): void {
    const chains = this.#chains(exposed, unmasked);
    const ofFamily = (wanted: IpFamily) => chains.filter(({ family }) => family === wanted);
    this.#applyOwn(ofFamily(4), exposed.length > 0);
    this.#withIpv6((own) => own.apply(ofFamily(6)));
    this.#withOthers((other) => {
      if (other.apply(ofFamily(4)))
        this.#log.info(`let the overlay pass the FORWARD chain of ${other.name}`);
    });
  }

  /**
   * Puts back what somebody has changed since {@link apply}. Costs next to nothing while nobody
   * changes any rule. @throws WeaveError `IPTABLES_FAILED`; SystemError
   */
  mend(): void {
    const { own } = this.#backends;
    const generation = nftablesGeneration();
    const told = (backend: FirewallBackend): void => {
      if (!backend.mend(generation)) return;
      this.#log.warn(`put our rules back in ${backend.name}: somebody had changed them`);
    };
    if (own !== undefined) told(own);
    this.#withIpv6(told);
    this.#withOthers(told);
  }

  /** @param needed whether something does not work without */
  #applyOwn(chains: readonly PacketChain[], needed: boolean): void {
    const { own } = this.#backends;
    if (own === undefined) {
      if (needed) throw noFirewall();
      return;
    }
    try {
      own.apply(chains);
    } catch (error) {
      // A kernel that knows part of nf_tables can do without the rest.
      if (needed || !isSystemError(error, "EOPNOTSUPP")) throw error;
    }
  }

  #withOthers(act: (other: IptablesBackend) => void): void {
    for (const other of this.#backends.others) this.#attempt(other, act);
  }

  /** A kernel may know IPv6, and not how to filter it. */
  #withIpv6(act: (own: FirewallBackend) => void): void {
    const { ownIpv6 } = this.#backends;
    if (ownIpv6 !== undefined) this.#attempt(ownIpv6, act);
  }

  #attempt<Backend extends FirewallBackend>(backend: Backend, act: (backend: Backend) => void) {
    let trouble = "";
    try {
      act(backend);
    } catch (error) {
      if (!(error instanceof WeaveError) && !isSystemError(error)) throw error;
      trouble = errorText(error);
    }
    if (trouble !== "" && trouble !== this.#troubles.get(backend.name)) this.#log.warn(trouble);
    this.#troubles.set(backend.name, trouble);
  }

  #chains(exposed: readonly Exposed[], unmasked: readonly Cidr[]): PacketChain[] {
    const { bridge, guarded } = this.#options;
    const guard = guarded === undefined ? [] : guardChains(guarded);
    return [...guard, ...exposedChains(bridge, exposed, unmasked)];
  }
}

/** Removes all of the router's rules, whatever put them there. @throws WeaveError, SystemError */
export function removeFirewall(): void {
  removeNftables();
  for (const each of [...programsOf(4), ...programsOf(6)]) removeIptables(each);
}

function noFirewall(): WeaveError {
  return new WeaveError(
    "FIREWALL_NONE",
    "this host can hold no packet filter rules: the kernel has no nf_tables, and there is no iptables",
    { remedy: "install iptables, or load the kernel's module nf_tables" },
  );
}
