import fc from "fast-check";
import { type HostIp, parseCidr } from "../../../lib/base/ip.ts";
import {
  type Chain,
  type ChainKey,
  formatPortElement,
  type PeerMatch,
  type PortMatch,
  type Rule,
  type RuleSet,
} from "../../../lib/policy/rule-set.ts";

const setKeys = ["pods of a", "pods of b", "pods of c"] as const;
const portSetKeys = ["http", "dns"] as const;
const chainKeys = ["one", "two", "three"] as const;

/** Rule sets of every kind about a few addresses, and what may follow one. */
export interface AnyRuleSet {
  readonly ruleSet: fc.Arbitrary<RuleSet>;
  /** The same, with some of its elements and targets from another one: what happens mostly. */
  next(before: RuleSet): fc.Arbitrary<RuleSet>;
}

export function anyRuleSet(addresses: readonly HostIp[]): AnyRuleSet {
  const address = fc.constantFrom(...addresses);
  const addressSet = fc.uniqueArray(address, { maxLength: 4 }).map((some) => new Set(some));
  const portElement = fc
    .record({
      address,
      protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
      port: fc.constantFrom(80, 443),
    })
    .map((element) => [formatPortElement(element), element] as const);
  const portSet = fc.array(portElement, { maxLength: 4 }).map((some) => new Map(some));

  const targets: fc.Arbitrary<ReadonlyMap<HostIp, ChainKey>> = fc
    .array(fc.tuple(address, fc.constantFrom(...chainKeys)), { maxLength: 5 })
    .map((some) => new Map(some));

  const ruleSet: fc.Arbitrary<RuleSet> = fc
    .record({
      sets: fc.tuple(...setKeys.map(() => addressSet)),
      portSets: fc.tuple(...portSetKeys.map(() => portSet)),
      chains: fc.tuple(...chainKeys.map(() => chain)),
      ingress: targets,
      egress: targets,
    })
    .map(({ sets, portSets, chains, ingress, egress }) =>
      needed({
        sets: new Map(setKeys.map((key, at) => [key, sets[at]!])),
        portSets: new Map(portSetKeys.map((key, at) => [key, portSets[at]!])),
        chains: new Map(chainKeys.map((key, at) => [key, chains[at]!])),
        targets: { ingress, egress },
      }),
    );

  const next = (before: RuleSet): fc.Arbitrary<RuleSet> =>
    fc.oneof(
      ruleSet,
      fc
        .tuple(
          fc.tuple(...setKeys.map(() => addressSet)),
          fc.tuple(...portSetKeys.map(() => portSet)),
          targets,
          targets,
        )
        .map(([sets, portSets, ingress, egress]) => ({
          sets: new Map([...before.sets.keys()].map((key, at) => [key, sets[at]!])),
          portSets: new Map([...before.portSets.keys()].map((key, at) => [key, portSets[at]!])),
          chains: before.chains,
          targets: { ingress: onlyOf(before, ingress), egress: onlyOf(before, egress) },
        })),
    );

  return { ruleSet, next };
}

const cidr = fc.constantFrom(
  "0.0.0.0/0",
  "10.0.0.0/8",
  "10.32.0.0/16",
  "10.32.0.2/32",
  "fd00::/64",
  "::/0",
);
const peer: fc.Arbitrary<PeerMatch> = fc.oneof(
  fc.constant({ kind: "any" } as const),
  fc.constantFrom(...setKeys).map((set) => ({ kind: "set", set }) as const),
  fc.record({ block: cidr, except: fc.array(cidr, { maxLength: 2 }) }).map(({ block, except }) => ({
    kind: "block" as const,
    block: parseCidr(block),
    except: except.map(parseCidr),
  })),
);
const portMatch: fc.Arbitrary<PortMatch> = fc.oneof(
  fc.constantFrom(...portSetKeys).map((set) => ({ kind: "set", set }) as const),
  fc
    .record({
      protocol: fc.constantFrom("TCP", "UDP", "SCTP"),
      range: fc.constantFrom([80, 80], [79, 443], [0, 65_535], [443, 443]),
    })
    .map(({ protocol, range: [first, last] }) => ({
      ...{ kind: "numbers" as const, protocol },
      ...{ first: first!, last: last! },
    })),
);
const rule: fc.Arbitrary<Rule> = fc.record({
  peer,
  ports: fc.oneof(fc.constant("any" as const), fc.array(portMatch, { maxLength: 3 })),
  verdict: fc.constantFrom("allow", "allow", "deny", "pass"),
  origin: fc.constantFrom("a/allow", "b/deny"),
});
const chain: fc.Arbitrary<Chain> = fc.record({
  tiers: fc.array(fc.array(rule, { maxLength: 3 }), { maxLength: 3 }),
});
/** Without what nothing leads to, so that sets and chains come and go. */
function needed({ sets, portSets, chains, targets }: RuleSet): RuleSet {
  const used = new Set([...targets.ingress.values(), ...targets.egress.values()]);
  const rules = chainKeys
    .filter((key) => used.has(key))
    .flatMap((key) => chains.get(key)!.tiers.flat());
  const isPeer = (key: string) =>
    rules.some((each) => each.peer.kind === "set" && each.peer.set === key);
  const isPort = (key: string) =>
    rules.some(
      (each) =>
        each.ports !== "any" &&
        each.ports.some((match) => match.kind === "set" && match.set === key),
    );
  return {
    sets: new Map([...sets].filter(([key]) => isPeer(key))),
    portSets: new Map([...portSets].filter(([key]) => isPort(key))),
    chains: new Map([...chains].filter(([key]) => used.has(key))),
    targets,
  };
}

function onlyOf(before: RuleSet, wanted: ReadonlyMap<HostIp, ChainKey>): Map<HostIp, ChainKey> {
  return new Map([...wanted].filter(([, key]) => before.chains.has(key)));
}
