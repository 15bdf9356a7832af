import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatHostIp, type HostIp, parseCidr, parseIp, parseIpv4 } from "../../../lib/base/ip.ts";
import { IpsetLayout } from "../../../lib/host/policy/ipset-layout.ts";
import type { Step } from "../../../lib/host/policy/ipset-step.ts";
import type { Direction } from "../../../lib/policy/objects.ts";
import {
  type Chain,
  type ChainKey,
  formatPortElement,
  type PeerMatch,
  type PortMatch,
  type Rule,
  type RuleSet,
} from "../../../lib/policy/rule-set.ts";
import { IptablesModel, type ModelPacket } from "./iptables-model.ts";
import { changeBetween, type JudgedPacket, passes, sameFamily } from "./rule-set-judge.ts";

const families = [4, 6] as const;
const addresses: readonly HostIp[] = [
  ...["10.32.0.1", "10.32.0.2", "10.33.0.1", "192.0.2.9"].map(parseIpv4),
  ...["fd00::1", "fd00::2"],
];
const ports = [
  { protocol: "TCP", number: 80 },
  { protocol: "TCP", number: 443 },
  { protocol: "UDP", number: 80 },
  { protocol: "SCTP", number: 80 },
  undefined,
] as const;

/** Every pair of addresses, with every port. */
const packets = addresses
  .flatMap((source) =>
    addresses.flatMap((destination) =>
      ports.map((port): JudgedPacket => ({ source, destination, ...(port && { port }) })),
    ),
  )
  .filter(sameFamily)
  .map((judged) => ({ judged, model: modelPacket(judged) }));

function modelPacket({ source, destination, port }: JudgedPacket): ModelPacket {
  return {
    source: parseIp(formatHostIp(source)),
    destination: parseIp(formatHostIp(destination)),
    ...(port && {
      port: {
        number: port.number,
        protocol: port.protocol.toLowerCase() as Lowercase<typeof port.protocol>,
      },
    }),
  };
}

const setKeys = ["pods of a", "pods of b", "pods of c"] as const;
const portSetKeys = ["http", "dns"] as const;
const chainKeys = ["one", "two", "three"] as const;

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

/** The same, with some of its elements and targets from another one: what happens mostly. */
const nextRuleSet = (before: RuleSet): fc.Arbitrary<RuleSet> =>
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

function onlyOf(before: RuleSet, wanted: ReadonlyMap<HostIp, ChainKey>): Map<HostIp, ChainKey> {
  return new Map([...wanted].filter(([, key]) => before.chains.has(key)));
}

const entry = {
  bridge: "weave",
  multicast: "egress",
  comparesEnds: true,
  labelOf: (direction: Direction, origin: string) => `${direction}:${origin.replace("/", "-")}`,
} as const;

/** A kernel, and a layout that speaks to it. */
class Host {
  readonly model = new IptablesModel(families);
  layout = new IpsetLayout(families, entry);

  replacing(rules: RuleSet): Step[] {
    this.layout = new IpsetLayout(families, entry);
    const found = families.map((family) => {
      const chains = this.model.chains(family);
      return [family, { chains, jumps: chains.length === 0 ? 0 : 1 }] as const;
    });
    return this.layout.replace(rules, [...this.model.sets.keys()], new Map(found));
  }

  expectExactly(rules: RuleSet): void {
    const wrong = packets.filter(
      ({ judged, model }) => this.model.passes(model) !== passes(rules, judged),
    );
    expect(wrong.map(({ judged }) => judged)).toEqual([]);
    const sizes = Array.from(this.model.sets, ([name, { elements }]) => [name, elements.length]);
    expect(new Map(sizes as [string, number][])).toEqual(new Map(this.layout.setSizes));
  }

  /** Takes steps, in which it stops after every single thing that the kernel does. */
  takeWatched(steps: readonly Step[], before: RuleSet, after: RuleSet): void {
    for (const step of steps.flatMap(singleThings)) {
      this.model.take(step);
      const leaked = packets.filter(
        ({ judged, model }) =>
          this.model.passes(model) && !passes(before, judged) && !passes(after, judged),
      );
      expect(leaked.map(({ judged }) => judged)).toEqual([]);
    }
  }
}

function singleThings(step: Step): Step[] {
  if (step.kind !== "add" && step.kind !== "remove") return [step];
  return step.elements.map((element) => ({ ...step, elements: [element] }));
}

describe("rules in iptables and sets", () => {
  test("let through what the rule set lets through, whatever it is", () => {
    fc.assert(
      fc.property(ruleSet, (rules) => {
        const host = new Host();
        for (const step of host.replacing(rules)) host.model.take(step);
        host.expectExactly(rules);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("never let through more than those before or those after a change, wherever it stops", () => {
    const changes = ruleSet.chain((before) =>
      nextRuleSet(before).chain((after) =>
        nextRuleSet(after).map((last) => [before, after, last] as const),
      ),
    );
    fc.assert(
      fc.property(changes, ([first, ...others]) => {
        const host = new Host();
        for (const step of host.replacing(first)) host.model.take(step);
        let before = first;
        for (const after of others) {
          const steps = host.layout.change(changeBetween(before, after), after, []);
          host.takeWatched(steps, before, after);
          host.expectExactly(after);
          before = after;
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("change a set as a whole when rules with it both let through and keep out", () => {
    const x = addresses[0]!;
    const inSet = (set: string, verdict: Rule["verdict"]): Rule => ({
      ...{ peer: { kind: "set", set }, ports: "any", verdict, origin: "" },
    });
    const otherwise = (verdict: Rule["verdict"]): Rule => ({
      ...{ peer: { kind: "any" }, ports: "any", verdict, origin: "" },
    });
    const rules = (passing: HostIp[], denied: HostIp[]): RuleSet => ({
      sets: new Map([
        ["passing", new Set(passing)],
        ["denied", new Set(denied)],
      ]),
      portSets: new Map(),
      chains: new Map([
        [
          "one",
          {
            tiers: [
              [inSet("denied", "deny"), inSet("passing", "pass"), otherwise("allow")],
              [otherwise("deny")],
            ],
          },
        ],
      ]),
      targets: { ingress: new Map([[addresses[1]!, "one"]]), egress: new Map() },
    });
    // Kept out by two tiers before, and by the first after: in between by one of them.
    const [before, after] = [rules([x], []), rules([], [x])];
    const host = new Host();
    for (const step of host.replacing(before)) host.model.take(step);
    const steps = host.layout.change(changeBetween(before, after), after, []);
    host.takeWatched(steps, before, after);
    host.expectExactly(after);
    expect(steps.filter(({ kind }) => kind === "create")).toHaveLength(families.length);
  });

  test("are mended by others from wherever a change stopped", () => {
    const changes = ruleSet.chain((before) =>
      nextRuleSet(before).chain((after) => fc.nat().map((stop) => [before, after, stop] as const)),
    );
    fc.assert(
      fc.property(changes, ([before, after, stop]) => {
        const host = new Host();
        for (const step of host.replacing(before)) host.model.take(step);
        const steps = host.layout
          .change(changeBetween(before, after), after, [])
          .flatMap(singleThings);
        for (const step of steps.slice(0, stop % (steps.length + 1))) host.model.take(step);
        for (const step of host.replacing(after).flatMap(singleThings)) {
          host.model.take(step);
        }
        host.expectExactly(after);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});
