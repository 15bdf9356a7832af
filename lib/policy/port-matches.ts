import type { PortRange, TransportProtocol } from "./objects.ts";
import type { PortMatch, SetKey } from "./rule-set.ts";

/** Ports that pods have under a name. */
export interface PortQuery {
  readonly key: SetKey;
  readonly name: string;
  /** Missing: of whatever protocol. */
  readonly protocol: TransportProtocol | undefined;
}

/** Ports of a rule as packets have them, and the names among them. */
export interface PortMatches {
  /** Equal for rules that are about the same ports. */
  readonly key: string;
  readonly ports: "any" | readonly PortMatch[];
  readonly queries: readonly PortQuery[];
}

export function matchesOf(ports: "any" | readonly PortRange[]): PortMatches {
  if (ports === "any") return { key: "any", ports, queries: [] };
  const numbers = mergedRanges(ports.filter((range) => range.kind === "numbers"));
  const queries = new Map(
    ports
      .filter((range) => range.kind === "name")
      .map(queryOf)
      .map((query) => [query.key, query]),
  );
  const named = [...queries.keys()].sort().map((set): PortMatch => ({ kind: "set", set }));
  const matches = [...numbers, ...named];
  return { key: JSON.stringify(matches), ports: matches, queries: [...queries.values()] };
}

function queryOf({ name, protocol }: PortRange & { kind: "name" }): PortQuery {
  return { key: JSON.stringify(["ports", name, protocol ?? "any"]), name, protocol };
}

type Numbers = PortRange & { kind: "numbers" };

/** In order, and so that those of a protocol neither overlap nor touch. */
export function mergedRanges(ranges: readonly Numbers[]): Numbers[] {
  const merged: Numbers[] = [];
  const sorted = [...ranges].sort(
    (a, b) => a.protocol.localeCompare(b.protocol, "en") || a.first - b.first,
  );
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before?.protocol === range.protocol && range.first <= before.last + 1) {
      merged[merged.length - 1] = { ...before, last: Math.max(before.last, range.last) };
    } else {
      merged.push(range);
    }
  }
  return merged;
}
