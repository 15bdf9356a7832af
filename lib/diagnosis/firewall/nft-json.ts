import { type Cidr, ipBits, tryParseIp } from "../../base/ip.ts";
import {
  type Action,
  type Chain,
  type Hook,
  type Match,
  next,
  type PortRange,
  type Rule,
  type Table,
} from "./rules.ts";

/**
 * Reads what `nft -j list ruleset` prints (libnftables-json(5)). Tables of iptables are left out:
 * `iptables-save` tells more of them. Whatever is not known here makes a rule one that may match.
 *
 * @throws SyntaxError when the text is no JSON
 */
export function parseNftRuleset(text: string): Table[] {
  const document: unknown = JSON.parse(text);
  const tables = new Map<string, TableDraft>();
  for (const item of listOf(memberOf(document, "nftables"))) {
    const table = memberOf(item, "table");
    const chain = memberOf(item, "chain");
    const rule = memberOf(item, "rule");
    if (table !== undefined) {
      const [family, name] = [textOf(table, "family"), textOf(table, "name")];
      tables.set(`${family} ${name}`, { tool: "nft", family, name, chains: new Map() });
    } else if (chain !== undefined) {
      tableOf(tables, chain)?.chains.set(textOf(chain, "name"), readChain(chain));
    } else if (rule !== undefined) {
      tableOf(tables, rule)?.chains.get(textOf(rule, "chain"))?.rules.push(readRule(rule));
    }
  }
  return [...tables.values()].filter(
    ({ family, chains }) =>
      ["ip", "ip6", "inet"].includes(family) && ![...chains.keys()].some(isOfIptables),
  );
}

type TableDraft = Omit<Table, "chains"> & { readonly chains: Map<string, ChainDraft> };
type ChainDraft = Chain & { readonly rules: Rule[] };

const hooks: readonly string[] = ["input", "output", "forward"] satisfies Hook[];

function isOfIptables(chain: string): boolean {
  return ["INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING"].includes(chain);
}

function tableOf<T>(tables: ReadonlyMap<string, T>, item: unknown): T | undefined {
  return tables.get(`${textOf(item, "family")} ${textOf(item, "table")}`);
}

function readChain(chain: unknown): ChainDraft {
  const hook = textOf(chain, "hook");
  const priority = memberOf(chain, "prio");
  return {
    name: textOf(chain, "name"),
    rules: [],
    ...(isHook(hook) && {
      base: {
        hook,
        priority: typeof priority === "number" ? priority : 0,
        policy: textOf(chain, "policy") === "drop" ? "drop" : "accept",
      },
    }),
  };
}

function isHook(text: string): text is Hook {
  return hooks.includes(text);
}

function readRule(rule: unknown): Rule {
  const matches: Match[] = [];
  let action: Action = next;
  for (const expression of listOf(memberOf(rule, "expr"))) {
    const match = memberOf(expression, "match");
    if (match !== undefined) matches.push(...readMatch(match));
    else action = actionOf(expression) ?? action;
    if (mayEnd(expression)) matches.push({ on: "other" });
  }
  return { matches, action, text: ruleText(rule) };
}

/** The handle is how nft itself refers to a rule. */
function ruleText(rule: unknown): string {
  const comment = textOf(rule, "comment");
  const handle = memberOf(rule, "handle");
  return `handle ${String(handle)}${comment === "" ? "" : ` "${comment}"`}`;
}

function actionOf(expression: unknown): Action | undefined {
  if (memberOf(expression, "accept") !== undefined) return { kind: "accept" };
  if (memberOf(expression, "drop") !== undefined) return { kind: "drop" };
  if (memberOf(expression, "reject") !== undefined) return { kind: "drop" };
  if (memberOf(expression, "return") !== undefined) return { kind: "return" };
  for (const kind of ["jump", "goto"] as const) {
    const target = memberOf(expression, kind);
    if (target !== undefined) return { kind, chain: textOf(target, "target") };
  }
  // A map of verdicts may let the packet pass.
  return memberOf(expression, "vmap") === undefined ? undefined : { kind: "accept" };
}

/** Conditions that stand without `match`. */
function mayEnd(expression: unknown): boolean {
  return ["limit", "xt", "vmap", "quota"].some((key) => memberOf(expression, key) !== undefined);
}

function readMatch(match: unknown): Match[] {
  const left = memberOf(match, "left");
  const operator = textOf(match, "op");
  const negated = operator === "!=";
  if (!["==", "!=", "in"].includes(operator)) return [{ on: "other" }];
  const values = valuesOf(memberOf(match, "right"));
  const read =
    readPayload(memberOf(left, "payload"), values) ??
    readMeta(textOf(memberOf(left, "meta"), "key"), values) ??
    (textOf(memberOf(left, "ct"), "key") === "state" ? stateMatch(values) : undefined);
  const [last = { on: "other" } as const, ...implied] = (read ?? []).toReversed();
  return [...implied, negated ? { ...last, negated } : last];
}

/** A field of a header is also a condition that there is such a header. */
function readPayload(payload: unknown, values: readonly unknown[]): Match[] | undefined {
  const [protocol, field] = [textOf(payload, "protocol"), textOf(payload, "field")];
  if (protocol === "ip") {
    if (field === "saddr") return networkMatch("source", values);
    if (field === "daddr") return networkMatch("destination", values);
    return field === "protocol" ? [protocolMatch(values)] : undefined;
  }
  const on = field === "dport" ? "destinationPort" : field === "sport" ? "sourcePort" : undefined;
  if (on === undefined || !["tcp", "udp", "th"].includes(protocol)) return undefined;
  const ranges = values.map(portRange);
  if (!ranges.every((range) => range !== undefined)) return undefined;
  const header: Match[] = protocol === "th" ? [] : [{ on: "protocol", names: [protocol] }];
  return [...header, { on, ranges }];
}

function readMeta(key: string, values: readonly unknown[]): Match[] | undefined {
  if (key === "l4proto") return [protocolMatch(values)];
  if (key === "iifname") return [{ on: "inInterface", names: values.map(String) }];
  if (key === "oifname") return [{ on: "outInterface", names: values.map(String) }];
  return undefined;
}

function stateMatch(values: readonly unknown[]): Match[] {
  return [{ on: "state", states: values.map(String) }];
}

function protocolMatch(values: readonly unknown[]): Match {
  return { on: "protocol", names: values.map(String) };
}

function networkMatch(
  on: "source" | "destination",
  values: readonly unknown[],
): Match[] | undefined {
  const networks = values.map(networkOf);
  return networks.every((network) => network !== undefined) ? [{ on, networks }] : undefined;
}

/** A value, the members of a list, or those of an anonymous set. */
function valuesOf(right: unknown): unknown[] {
  if (Array.isArray(right)) return right;
  const set = memberOf(right, "set");
  return set === undefined ? [right] : listOf(set);
}

function portRange(value: unknown): PortRange | undefined {
  if (typeof value === "number") return [value, value];
  const [first, last] = listOf(memberOf(value, "range"));
  return typeof first === "number" && typeof last === "number" ? [first, last] : undefined;
}

function networkOf(value: unknown): Cidr | undefined {
  const prefix = memberOf(value, "prefix");
  const address = tryParseIp(prefix === undefined ? String(value) : textOf(prefix, "addr"));
  const length = memberOf(prefix, "len");
  if (address === undefined) return undefined;
  return { address, prefix: typeof length === "number" ? length : ipBits(address.family) };
}

// Documents of another program's making --------------------------------------------------------------

/** `undefined` for what is no object or has no such member; `null` counts as there. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function textOf(value: unknown, name: string): string {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : "";
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
