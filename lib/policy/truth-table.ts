import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { familyOf, formatHostIp, type HostIp, tryParseHostIp } from "../base/ip.ts";
import { parsedBy } from "../base/schema.ts";
import { type Cluster, type Party, partyAt } from "./cluster.ts";
import type { PortAt } from "./match.ts";
import type { Pod } from "./objects.ts";
import { evaluate, type Verdict } from "./verdict.ts";

/** What somebody expects of a set of policies: connections that are to be allowed, or denied. */
export type TruthTable = readonly Expectation[];

export interface Expectation {
  /** `<namespace>/<pod>`, `<pod>` of namespace `default`, or an address. */
  readonly from: string;
  readonly to: string;
  /** Missing: of a protocol without ports, such as ICMP. */
  readonly port: PortAt | undefined;
  readonly allowed: boolean;
}

/** What a connection comes to, between the addresses of one family that both ends have. */
export interface TruthTableRow {
  readonly expectation: Expectation;
  /** `10.32.0.1`; missing for a pod that has no address yet. */
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly verdict: Verdict;
  readonly isMet: boolean;
}

const expectation = v.strictObject({
  from: v.string(),
  to: v.string(),
  port: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
  protocol: v.nullish(v.picklist(["TCP", "UDP", "SCTP", "ICMP"])),
  allowed: v.boolean(),
});

const document = v.strictObject({ expectations: v.array(expectation) });

/**
 * The document of `weave policy test`: `{expectations: [{from, to, port, protocol, allowed}, …]}`. A
 * port is one of TCP unless `protocol` says something else; without one it is ICMP that is meant.
 *
 * @throws WeaveError `POLICY_TEST_FORMAT`
 */
export function readTruthTable(json: unknown): TruthTable {
  const { expectations } = parsedBy(document, json, "the document", formatError);
  return expectations.map(({ from, to, port, protocol, allowed }, at) => {
    if ((port == null) !== (protocol == null ? port == null : protocol === "ICMP")) {
      throw formatError(
        `expectations.${at}: ${protocol} ${port == null ? "needs a" : "has no"} port`,
      );
    }
    if (port == null || protocol === "ICMP") return { from, to, port: undefined, allowed };
    return { from, to, port: { protocol: protocol ?? "TCP", port }, allowed };
  });
}

function formatError(why: string): WeaveError {
  return new WeaveError("POLICY_TEST_FORMAT", `these expectations cannot be read: ${why}`, {
    remedy: "write 'expectations:' and under it entries of from, to, port, protocol and allowed",
  });
}

/**
 * What each connection comes to, in the order of the table; two rows where both ends have addresses
 * of both families.
 *
 * @throws WeaveError `POLICY_TEST_UNKNOWN` for a pod that is not there, `POLICY_TEST_FAMILY` where one
 *   end has IPv4 alone and the other IPv6
 */
export function checkTruthTable(cluster: Cluster, table: TruthTable): TruthTableRow[] {
  return table.flatMap((expectation) =>
    endsOf(cluster, expectation).map(([source, destination]) => {
      const verdict = evaluate(cluster, { source, destination, port: expectation.port });
      const isMet = verdict.allowed === expectation.allowed;
      const addresses = { source: textOf(source), destination: textOf(destination) };
      return { expectation, ...addresses, verdict, isMet };
    }),
  );
}

function endsOf(cluster: Cluster, { from, to }: Expectation): [Party, Party][] {
  const pairs = pairsOf(partiesOf(cluster, from), partiesOf(cluster, to));
  if (pairs.length > 0) return pairs;
  throw new WeaveError(
    "POLICY_TEST_FAMILY",
    `${from} and ${to} have no family of addresses in common`,
    {
      remedy: "write two addresses of IPv4, or two of IPv6",
    },
  );
}

function textOf({ address }: Party): string | undefined {
  return address === undefined ? undefined : formatHostIp(address);
}

function partiesOf(cluster: Cluster, text: string): Party[] {
  const address = tryParseHostIp(text);
  if (address !== undefined) return [partyAt(cluster, address)];
  const pod = podCalled(cluster, text);
  if (pod.addresses.length === 0) return [{ pod }];
  return pod.addresses.map((each) => ({ pod, address: each }));
}

function podCalled({ pods }: Cluster, text: string): Pod {
  const slash = text.indexOf("/");
  const namespace = slash < 0 ? "default" : text.slice(0, slash);
  const name = text.slice(slash + 1);
  const found = pods.filter((pod) => pod.namespace === namespace && pod.name === name);
  const [latest] = [...found].sort((a, b) => b.sinceMs - a.sinceMs);
  if (latest !== undefined) return latest;
  throw new WeaveError("POLICY_TEST_UNKNOWN", `there is no pod ${namespace}/${name}`, {
    remedy: "name a pod as <namespace>/<pod>, or write an address",
  });
}

/** One of each family that both have; where one has no address at all, the first of the other. */
function pairsOf(sources: readonly Party[], destinations: readonly Party[]): [Party, Party][] {
  const pairs = sources.flatMap((source) =>
    destinations
      .filter(({ address }) => sameFamily(source.address, address))
      .slice(0, 1)
      .map((destination): [Party, Party] => [source, destination]),
  );
  const seen = new Set<string>();
  return pairs.filter(([{ address }]) => {
    const family = address === undefined ? "none" : String(familyOf(address));
    const isNew = !seen.has(family);
    seen.add(family);
    return isNew;
  });
}

function sameFamily(a: HostIp | undefined, b: HostIp | undefined): boolean {
  return a === undefined || b === undefined || familyOf(a) === familyOf(b);
}
