import { formatCidr } from "../../base/ip.ts";
import { nftablesGeneration } from "../own-table.ts";
import { Iptables } from "./iptables.ts";
import type { FirewallBackend, PacketChain, PacketRule, Unless } from "./packet-rule.ts";

/** Where iptables has what a chain of ours is for, and how it is called there. */
const places = {
  input: { table: "filter", from: "INPUT", chain: "WEAVE-INPUT" },
  forward: { table: "filter", from: "FORWARD", chain: "WEAVE-FORWARD" },
  postrouting: { table: "nat", from: "POSTROUTING", chain: "WEAVE-POSTROUTING" },
} as const;

type Place = (typeof places)[PacketChain["at"]];

/** Where nothing tells cheaply whether rules have changed, it is looked so seldom. */
const checksPerLook = 3;

export interface IptablesOptions {
  readonly program: string;
  /**
   * Whether rules go only where another program decides about forwarding: for a host whose rules of
   * ours are elsewhere. An accept there cannot overrule a drop here.
   */
  readonly onlyWhereFiltered: boolean;
}

/**
 * Rules in chains of our own, each jumped to by the first rule of the chain that everybody shares:
 *
 *   FORWARD ─ first rule ─▶ WEAVE-FORWARD
 */
export class IptablesBackend implements FirewallBackend {
  readonly #iptables: Iptables;
  readonly #onlyWhereFiltered: boolean;
  #wanted: readonly PacketChain[] | undefined;
  /** The kernel's rules when ours were found in order; `undefined` where nothing tells of changes. */
  #generation: number | undefined;
  #checksSinceLook = 0;
  #isInUse = false;

  constructor({ program, onlyWhereFiltered }: IptablesOptions) {
    this.#iptables = new Iptables(program);
    this.#onlyWhereFiltered = onlyWhereFiltered;
  }

  get name(): string {
    const { family, speech } = this.#iptables;
    return `${family === 4 ? "iptables" : "ip6tables"} (${speech ?? "missing"})`;
  }

  /** Whether there are rules of ours. */
  get isInUse(): boolean {
    return this.#isInUse;
  }

  apply(chains: readonly PacketChain[]): boolean {
    this.#wanted = chains;
    return this.#put(chains);
  }

  mend(generation: number | undefined): boolean {
    if (this.#wanted === undefined) return false;
    const tells = generation !== undefined && this.#generation !== undefined;
    if (tells && generation === this.#generation) return false;
    if (!tells && ++this.#checksSinceLook < checksPerLook) return false;
    return this.#put(this.#wanted);
  }

  #put(chains: readonly PacketChain[]): boolean {
    this.#checksSinceLook = 0;
    this.#generation = undefined;
    // Taken before the look: a change in between is seen the next time.
    const before = nftablesGeneration();
    const changed = chains.filter((chain) => this.#putChain(chain)).length > 0;
    // Nothing counts the changes of the other half.
    if (!changed && this.#iptables.speech === "nf_tables") this.#generation = before;
    return changed;
  }

  /** False when all was in order, or is none of our business. */
  #putChain({ at, rules }: PacketChain): boolean {
    const { table, from, chain } = places[at];
    if (this.#onlyWhereFiltered && (at !== "forward" || !this.#iptables.hasTable(table))) {
      return false;
    }
    const listing = this.#iptables.rules(table);
    if (listing === undefined) return false;
    if (this.#onlyWhereFiltered && !isFiltered(listing, places[at])) return false;
    this.#isInUse = true;
    const wanted = rules.map(wordsOf);
    const present = listing.filter((line) => line.startsWith(`-A ${chain} `));
    const first = listing.find((line) => line.startsWith(`-A ${from} `));
    const jump = `-A ${from} -j ${chain}`;
    const jumps = listing.filter((line) => line === jump).length;
    const stands =
      first === jump &&
      jumps === 1 &&
      present.join("\n") === wanted.map((rule) => `-A ${chain} ${rule}`).join("\n");
    if (stands) return false;
    this.#iptables.putChain(places[at], wanted, jumps);
    return true;
  }
}

/** Removes chains and jumps of ours, if they are there. */
export function removeIptables(program: string): void {
  const iptables = new Iptables(program);
  for (const { table, from, chain } of Object.values(places)) {
    if (!iptables.hasTable(table) || !iptables.rules(table)?.includes(`-N ${chain}`)) continue;
    while (iptables.try(table, "-D", from, "-j", chain));
    iptables.must(table, "-F", chain);
    iptables.must(table, "-X", chain);
  }
}

/** Whether somebody else decides there, or we have been there before. */
function isFiltered(listing: readonly string[], { from, chain }: Place): boolean {
  return listing.some(
    (line) =>
      line === `-P ${from} DROP` || line.startsWith(`-A ${from} `) || line === `-N ${chain}`,
  );
}

const targets = {
  accept: "ACCEPT",
  drop: "DROP",
  leave: "RETURN",
  masquerade: "MASQUERADE",
} as const;

/** As `iptables -S` prints it, which is how it is known again. */
function wordsOf({ source, destination, from, to, port, known, verdict }: PacketRule): string {
  return [
    ...condition("-s", source, formatCidr),
    ...condition("-d", destination, formatCidr),
    ...condition("-i", from, String),
    ...condition("-o", to, String),
    ...(port === undefined
      ? []
      : ["-p", port.protocol, "-m", port.protocol, "--dport", String(port.number)]),
    ...(known === undefined ? [] : ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]),
    ...["-j", targets[verdict]],
  ].join(" ");
}

function condition<T>(
  flag: string,
  wanted: Unless<T> | undefined,
  format: (value: T) => string,
): string[] {
  if (wanted === undefined) return [];
  return "is" in wanted ? [flag, format(wanted.is)] : ["!", flag, format(wanted.isNot)];
}
