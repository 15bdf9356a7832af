import {
  cidrContains,
  equalIp,
  type IpAddress,
  type IpFamily,
  parseCidr,
} from "../../../lib/base/ip.ts";
import type { IpsetElement } from "../../../lib/host/netlink/ipset.ts";
import type { Step } from "../../../lib/host/policy/ipset-step.ts";

/** A packet that crosses the bridge and opens a connection. */
export interface ModelPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** `undefined`: ICMP. */
  readonly port?: { readonly protocol: "tcp" | "udp" | "sctp"; readonly number: number };
}

type Match = (packet: ModelPacket) => boolean;
interface ModelRule {
  readonly text: string;
  readonly matches: readonly Match[];
  readonly target: { readonly kind: "jump" | "goto"; readonly chain: string } | undefined;
}
interface ModelSet {
  readonly type: string;
  elements: IpsetElement[];
}

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;

/**
 * A kernel's sets and one table of `iptables`, as far as policies use them: what they do when they
 * are told one thing after the other. It is as strict as the kernel: who refers to what there is not,
 * or destroys what something refers to, is refused.
 */
export class IptablesModel {
  readonly sets = new Map<string, ModelSet>();
  readonly #chains = new Map<IpFamily, Map<string, ModelRule[]>>();

  constructor(families: readonly IpFamily[]) {
    for (const family of families) this.#chains.set(family, new Map([["FORWARD", []]]));
  }

  /** Names of chains besides that of everybody. */
  chains(family: IpFamily): string[] {
    return [...this.#of(family).keys()].filter((name) => name !== "FORWARD");
  }

  take(step: Step): void {
    switch (step.kind) {
      case "create":
        refuse(this.sets.has(step.set.name), `${step.set.name} exists`);
        this.sets.set(step.set.name, { type: step.set.type, elements: [] });
        break;
      case "add":
        this.#set(step.set).elements.push(...step.elements);
        break;
      case "remove": {
        const gone = new Set(step.elements.map(keyOf));
        const set = this.#set(step.set);
        set.elements = set.elements.filter((each) => !gone.has(keyOf(each)));
        break;
      }
      case "restore":
        this.#restore(this.#of(step.family), step.lines);
        break;
      case "destroy":
        refuse(this.#refersTo(step.set), `rules refer to ${step.set}`);
        this.sets.delete(step.set);
    }
  }

  passes(packet: ModelPacket): boolean {
    return this.#run(this.#of(packet.source.family), "FORWARD", packet) !== "DROP";
  }

  /** `RETURN`: to where the chain was entered by a jump. */
  #run(chains: Chains, name: string, packet: ModelPacket): "DROP" | "RETURN" {
    for (const { matches, target } of chainOf(chains, name)) {
      if (!matches.every((match) => match(packet)) || target === undefined) continue;
      if (target.chain === "DROP" || target.chain === "RETURN") return target.chain;
      if (target.chain === "NFLOG") continue;
      const verdict = this.#run(chains, target.chain, packet);
      if (verdict === "DROP" || target.kind === "goto") return verdict;
    }
    return "RETURN";
  }

  #restore(chains: Chains, lines: readonly string[]): void {
    for (const line of lines) {
      const [, flag = "", name = "", rest = ""] = /^(:|-\w )(\S+) ?(.*)$/.exec(line) ?? [];
      switch (flag) {
        case ":":
          chains.set(name, []);
          break;
        case "-A ":
          chainOf(chains, name).push(this.#rule(rest));
          break;
        case "-I ":
          chainOf(chains, name).unshift(this.#rule(rest.replace(/^1 /, "")));
          break;
        case "-D ": {
          const rules = chainOf(chains, name);
          const at = rules.findIndex(({ text }) => text === rest);
          refuse(at < 0, `no rule ${rest}`);
          rules.splice(at, 1);
          break;
        }
        case "-X ":
          refuse(chainOf(chains, name).length > 0, `${name} is not empty`);
          chains.delete(name);
          break;
        default:
          refuse(true, `not understood: ${line}`);
      }
    }
    for (const { target } of [...chains.values()].flat()) {
      const isOwn = target !== undefined && /^WEAVE/.test(target.chain);
      refuse(isOwn && !chains.has(target.chain), `no chain ${target?.chain}`);
    }
  }

  #rule(text: string): ModelRule {
    const words = Array.from(text.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, plain]) => {
      return quoted ?? plain!;
    });
    const matches: Match[] = [];
    let target: ModelRule["target"];
    const next = () => words.shift() ?? "";
    while (words.length > 0) {
      const word = next();
      if (word === "-j" || word === "-g") {
        target = { kind: word === "-j" ? "jump" : "goto", chain: next() };
      } else matches.push(this.#match(word, next));
    }
    return { text, matches, target };
  }

  #match(word: string, next: () => string): Match {
    const always: Match = () => true;
    const never: Match = () => false;
    switch (word) {
      case "-i":
      case "-o":
        refuse(next() !== "weave", "all packets cross the bridge");
        return always;
      case "-s":
        return inCidr(next(), ({ source }) => source);
      case "-d":
        return inCidr(next(), ({ destination }) => destination);
      case "-p": {
        const protocol = next();
        return protocol === "ipv6-icmp"
          ? ({ port }) => port === undefined
          : ({ port }) => port?.protocol === protocol;
      }
      case "--match-set":
        return this.#matchSet(next(), next());
      case "--dports":
        return inPorts(next());
      case "--bytecode":
        next();
        return ({ source, destination }) => equalIp(source, destination);
      // A packet that opens a connection is none of these.
      case "--ctstate":
      case "--mark":
      case "--icmpv6-type":
        next();
        return never;
      case "-m":
      case "--comment":
      case "--limit":
      case "--limit-burst":
      case "--nflog-group":
      case "--nflog-threshold":
      case "--nflog-prefix":
        next();
        return always;
      default:
        refuse(true, `not understood: ${word}`);
        return never;
    }
  }

  #matchSet(name: string, ends: string): Match {
    this.#set(name);
    return (packet) => {
      const { type, elements } = this.#set(name);
      const address = ends === "src" ? packet.source : packet.destination;
      switch (type) {
        case "hash:net": {
          const covering = elements.filter(({ address: network, prefix = 0 }) =>
            cidrContains({ address: network, prefix }, address),
          );
          const most = covering.sort((a, b) => b.prefix! - a.prefix!)[0];
          return most !== undefined && most.isExcept !== true;
        }
        case "hash:ip,port":
          refuse(ends !== "dst,dst", `${name} is of destinations`);
          return elements.some(
            (each) =>
              equalIp(each.address, address) &&
              packet.port !== undefined &&
              each.port?.protocol === protocolNumbers[packet.port.protocol] &&
              each.port.number === packet.port.number,
          );
        default:
          return elements.some((each) => equalIp(each.address, address));
      }
    };
  }

  #set(name: string): ModelSet {
    const set = this.sets.get(name);
    if (set === undefined) throw new Error(`no set ${name}`);
    return set;
  }

  #refersTo(name: string): boolean {
    return [...this.#chains.values()].some((chains) =>
      [...chains.values()].flat().some(({ text }) => text.includes(` ${name} `)),
    );
  }

  #of(family: IpFamily): Chains {
    return this.#chains.get(family)!;
  }
}

type Chains = Map<string, ModelRule[]>;

function chainOf(chains: Chains, name: string): ModelRule[] {
  const rules = chains.get(name);
  if (rules === undefined) throw new Error(`no chain ${name}`);
  return rules;
}

function inCidr(text: string, end: (packet: ModelPacket) => IpAddress): Match {
  const cidr = parseCidr(text);
  return (packet) => cidrContains(cidr, end(packet));
}

function inPorts(text: string): Match {
  const ranges = text.split(",").map((each) => each.split(":").map(Number));
  return ({ port }) =>
    port !== undefined &&
    ranges.some(([first, last]) => port.number >= first! && port.number <= (last ?? first!));
}

function keyOf(element: IpsetElement): string {
  return JSON.stringify(element, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

function refuse(condition: boolean, why: string): void {
  if (condition) throw new Error(why);
}
