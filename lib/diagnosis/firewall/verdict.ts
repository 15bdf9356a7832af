import { cidrContains, type IpAddress } from "../../base/ip.ts";
import type { Chain, Hook, Match, PortRange, Rule, Table } from "./rules.ts";

/** A packet that begins something new, as far as it is known. */
export interface FilteredPacket {
  readonly hook: Hook;
  readonly protocol: "tcp" | "udp";
  /** Missing for packets between containers, of any port. */
  readonly destinationPort?: number;
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  readonly inInterface?: string;
  readonly outInterface?: string;
}

/** Where a packet is, or may be, dropped. */
export interface Drop {
  readonly table: Table;
  readonly chain: Chain;
  /** Missing when the chain's policy does it. */
  readonly rule?: Rule;
  /** False when it depends on what cannot be judged here. */
  readonly isCertain: boolean;
  /** Whether the rule names the packet's port. */
  readonly namesPort: boolean;
}

/** How deep jumps are followed; the kernel allows 16. */
const depthMax = 16;

/** Every base chain of the hook has to let a packet pass: all that drop this one. */
export function dropsOf(tables: readonly Table[], packet: FilteredPacket): Drop[] {
  const family = familyOf(packet);
  const concerned = tables.filter((table) => table.family === family || table.family === "inet");
  return concerned.flatMap((table) =>
    [...table.chains.values()]
      .filter((chain) => chain.base?.hook === packet.hook)
      .flatMap((chain) => new Walk(table, packet).run(chain)),
  );
}

/** As tables name it; without an address a packet stands for those of IPv4. */
function familyOf({ source, destination }: FilteredPacket): "ip" | "ip6" {
  return (source ?? destination)?.family === 6 ? "ip6" : "ip";
}

type Outcome = "accepted" | "dropped" | "returned";

/** The way of one packet through one base chain. */
class Walk {
  readonly #table: Table;
  readonly #packet: FilteredPacket;
  readonly #drops: Drop[] = [];
  /** Nothing is certain behind a rule that may have ended the way. */
  #isCertain = true;

  constructor(table: Table, packet: FilteredPacket) {
    this.#table = table;
    this.#packet = packet;
  }

  run(chain: Chain): Drop[] {
    const outcome = this.#chain(chain, 0);
    if (outcome === "returned" && chain.base?.policy === "drop") this.#drop(chain, undefined);
    return this.#drops;
  }

  #chain(chain: Chain, depth: number): Outcome {
    for (const rule of chain.rules) {
      const holds = allHold(rule.matches, this.#packet);
      if (holds === "no") continue;
      const outcome =
        holds === "yes" ? this.#act(chain, rule, depth) : this.#perhaps(chain, rule, depth);
      if (outcome !== undefined) return outcome;
    }
    return "returned";
  }

  /** `undefined`: on with the next rule. */
  #act(chain: Chain, rule: Rule, depth: number): Outcome | undefined {
    const { action } = rule;
    switch (action.kind) {
      case "accept":
        return "accepted";
      case "return":
        return "returned";
      case "drop":
        this.#drop(chain, rule);
        return "dropped";
      case "next":
        return undefined;
      case "jump":
      case "goto": {
        const target = this.#table.chains.get(action.chain);
        if (target === undefined || depth >= depthMax) return undefined;
        const outcome = this.#chain(target, depth + 1);
        if (outcome !== "returned") return outcome;
        return action.kind === "goto" ? "returned" : undefined;
      }
    }
  }

  #perhaps(chain: Chain, rule: Rule, depth: number): undefined {
    const wasCertain = this.#isCertain;
    this.#isCertain = false;
    this.#act(chain, rule, depth);
    // Another rule may still drop what this one may have let pass, but not for certain.
    const mayEndWell = rule.action.kind !== "drop" && rule.action.kind !== "next";
    this.#isCertain = wasCertain && !mayEndWell;
  }

  #drop(chain: Chain, rule: Rule | undefined): void {
    this.#drops.push({
      table: this.#table,
      chain,
      ...(rule !== undefined && { rule }),
      isCertain: this.#isCertain,
      namesPort: rule?.matches.some((match) => match.on === "destinationPort") ?? false,
    });
  }
}

type Holds = "yes" | "no" | "maybe";

function allHold(matches: readonly Match[], packet: FilteredPacket): Holds {
  const each = matches.map((match) => {
    const outcome = holds(match, packet);
    if (!match.negated || outcome === "maybe") return outcome;
    return outcome === "yes" ? "no" : "yes";
  });
  if (each.includes("no")) return "no";
  return each.includes("maybe") ? "maybe" : "yes";
}

function holds(match: Match, packet: FilteredPacket): Holds {
  switch (match.on) {
    case "protocol":
      return known(match.names.includes(packet.protocol) || match.names.includes("all"));
    case "source":
    case "destination": {
      const address = packet[match.on];
      if (address === undefined) return match.networks.some(isEverything) ? "yes" : "maybe";
      return known(match.networks.some((network) => cidrContains(network, address)));
    }
    case "destinationPort":
      return packet.destinationPort === undefined
        ? "maybe"
        : known(includesPort(match.ranges, packet.destinationPort));
    case "inInterface":
    case "outInterface": {
      const name = packet[match.on];
      return name === undefined
        ? "maybe"
        : known(match.names.some((pattern) => fits(pattern, name)));
    }
    case "state":
      return known(match.states.includes("new"));
    case "sourcePort":
    case "other":
      return "maybe";
  }
}

function known(value: boolean): Holds {
  return value ? "yes" : "no";
}

function isEverything({ prefix }: { readonly prefix: number }): boolean {
  return prefix === 0;
}

function includesPort(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(([first, last]) => first <= port && port <= last);
}

/** `eth+` and `eth*` stand for all names that begin so. */
function fits(pattern: string, name: string): boolean {
  return /[+*]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
