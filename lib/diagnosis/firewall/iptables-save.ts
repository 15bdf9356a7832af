import { type Cidr, ipBits, parseCidr, tryParseIp } from "../../base/ip.ts";
import {
  type Action,
  type Chain,
  type Hook,
  type IptablesTool,
  type Match,
  next,
  type PortRange,
  type Rule,
  type Table,
} from "./rules.ts";

/**
 * Reads what `iptables-save`, or `ip6tables-save`, prints:
 *
 *   *filter
 *   :INPUT ACCEPT [0:0]           a base chain and its policy; `-` for a chain of somebody's own
 *   -A INPUT -p udp -m udp --dport 6784 -j DROP
 *   COMMIT
 *
 * Words that are not known here make a rule one that may match.
 */
export function parseIptablesSave(text: string, tool: IptablesTool): Table[] {
  const tables: { name: string; chains: Map<string, ChainDraft> }[] = [];
  for (const line of text.split("\n")) {
    const table = tables.at(-1);
    if (line.startsWith("*")) tables.push({ name: line.slice(1).trim(), chains: new Map() });
    else if (table !== undefined && line.startsWith(":")) addChain(table, line);
    else if (table !== undefined && line.startsWith("-A ")) addRule(table.chains, line);
  }
  const family = tool.startsWith("ip6") ? "ip6" : "ip";
  return tables.map(({ name, chains }) => ({ tool, family, name, chains }));
}

type ChainDraft = Chain & { readonly rules: Rule[] };

const hooks: Readonly<Record<string, Hook>> = {
  INPUT: "input",
  OUTPUT: "output",
  FORWARD: "forward",
};

/** Lower runs earlier (linux/netfilter_ipv4.h). */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

function addChain(table: { name: string; chains: Map<string, ChainDraft> }, line: string): void {
  const [name = "", policy = "-"] = line.slice(1).split(" ");
  const hook = hooks[name];
  table.chains.set(name, {
    name,
    rules: [],
    ...(hook !== undefined &&
      policy !== "-" && {
        base: {
          hook,
          priority: priorities[table.name] ?? 0,
          policy: policy === "DROP" ? "drop" : "accept",
        },
      }),
  });
}

function addRule(chains: ReadonlyMap<string, ChainDraft>, line: string): void {
  const [, name = "", ...words] = wordsOf(line);
  chains.get(name)?.rules.push({ ...readRule(words), text: line });
}

/** A line's words; what stands between quotation marks is one. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(
    ([, quoted, plain]) => plain ?? quoted!.replace(/\\(.)/g, "$1"),
  );
}

function readRule(words: readonly string[]): Omit<Rule, "text"> {
  const matches: Match[] = [];
  let action: Action = next;
  let negated = false;
  for (let at = 0; at < words.length; ) {
    const option = words[at++]!;
    if (option === "!") {
      negated = true;
      continue;
    }
    // Values of an option: everything up to the next option.
    const from = at;
    while (at < words.length && words[at] !== "!" && !words[at]!.startsWith("-")) at++;
    const values = words.slice(from, at);
    if (option === "-j" || option === "-g") {
      action = actionOf(option, values[0] ?? "");
    } else if (action === next && !silentOptions.has(option)) {
      matches.push({ ...matchOf(option, values[0] ?? ""), ...(negated && { negated }) });
    }
    negated = false;
  }
  return { matches, action };
}

/** They say nothing themselves. */
const silentOptions: ReadonlySet<string> = new Set(["-m", "--match", "--comment", "-c"]);

function actionOf(option: string, target: string): Action {
  switch (target) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
    case "REJECT":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
  }
  // Other targets in capitals change or note the packet; a chain that is called so is found by name.
  return { kind: option === "-g" ? "goto" : "jump", chain: target };
}

const other: Match = { on: "other" };

function matchOf(option: string, value: string): Match {
  switch (option) {
    case "-p":
      return { on: "protocol", names: [protocolName(value)] };
    case "-s":
    case "-d": {
      const network = networkOf(value);
      const on = option === "-s" ? "source" : "destination";
      return network === undefined ? other : { on, networks: [network] };
    }
    case "-i":
      return { on: "inInterface", names: [value] };
    case "-o":
      return { on: "outInterface", names: [value] };
    case "--dport":
    case "--dports":
      return { on: "destinationPort", ranges: portRanges(value) };
    case "--sport":
    case "--sports":
      return { on: "sourcePort", ranges: portRanges(value) };
    case "--ctstate":
    case "--state":
      return { on: "state", states: value.toLowerCase().split(",") };
    default:
      return other;
  }
}

function protocolName(value: string): string {
  const byNumber: Readonly<Record<string, string>> = { "0": "all", "6": "tcp", "17": "udp" };
  return byNumber[value] ?? value;
}

function networkOf(text: string): Cidr | undefined {
  const address = tryParseIp(text);
  if (address !== undefined) return { address, prefix: ipBits(address.family) };
  return /^[\d.]+\/\d+$/.test(text) ? parseCidr(text) : undefined;
}

/** `80`, `6783:6784`, `53,80:90`. */
function portRanges(text: string): PortRange[] {
  return text.split(",").map((part) => {
    const [first, last = first] = part.split(":");
    return [Number(first || 0), Number(last || 65535)];
  });
}
