import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { familyOf, formatHostIp, type HostIp, parseIp, parseIpv4 } from "../../../lib/base/ip.ts";
import { IpsetLayout } from "../../../lib/host/policy/ipset-layout.ts";
import type { Step } from "../../../lib/host/policy/ipset-step.ts";
import type { Direction } from "../../../lib/policy/objects.ts";
import type { Rule, RuleSet } from "../../../lib/policy/rule-set.ts";
import { isLetThrough, type Packet } from "../../policy/interpret.ts";
import { anyRuleSet } from "./any-rule-set.ts";
import { IptablesModel, type ModelPacket } from "./iptables-model.ts";
import { changeBetween } from "./rule-set-change.ts";

const families = [4, 6] as const;
const addresses: readonly HostIp[] = [
  ...["10.32.0.1", "10.32.0.2", "10.33.0.1", "192.0.2.9"].map(parseIpv4),
  ...["fd00::1", "fd00::2"],
];
const ports = [
  { protocol: "TCP", port: 80 },
  { protocol: "TCP", port: 443 },
  { protocol: "UDP", port: 80 },
  { protocol: "SCTP", port: 80 },
  undefined,
] as const;

/** Every pair of addresses, with every port. */
const packets = addresses
  .flatMap((source) =>
    addresses.flatMap((destination) =>
      ports.map((port): Packet => ({ source, destination, ...(port && { port }) })),
    ),
  )
  .filter(({ source, destination }) => familyOf(source) === familyOf(destination))
  .map((judged) => ({ judged, model: modelPacket(judged) }));

function modelPacket({ source, destination, port }: Packet): ModelPacket {
  return {
    source: parseIp(formatHostIp(source)),
    destination: parseIp(formatHostIp(destination)),
    ...(port && {
      port: {
        number: port.port,
        protocol: port.protocol.toLowerCase() as Lowercase<typeof port.protocol>,
      },
    }),
  };
}

const { ruleSet, next: nextRuleSet } = anyRuleSet(addresses);

const entry = {
  bridge: "weave",
  multicast: "egress",
  comparesEnds: true,
  judgesAnybody: true,
  dropsCut: true,
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
      ({ judged, model }) => this.model.passes(model) !== isLetThrough(rules, judged),
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
          this.model.passes(model) && !isLetThrough(before, judged) && !isLetThrough(after, judged),
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
