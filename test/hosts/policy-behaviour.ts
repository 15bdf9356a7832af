import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { connectSocket, openSocket, sendOne } from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { formatIpv4, type HostIp, type IpFamily, parseCidr, parseIpv4 } from "../../lib/base/ip.ts";
import { silentLog } from "../../lib/base/world.ts";
import { findLink } from "../../lib/host/netlink/link.ts";
import { openRoute } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import type { EnforcerOptions, HostEnforcer } from "../../lib/host/policy/host-enforcer.ts";
import { socketAddress, udpByIpv4 } from "../../lib/host/udp-family.ts";
import type { MulticastPolicy } from "../../lib/policy/enforcer.ts";
import type { Direction } from "../../lib/policy/objects.ts";
import type { Chain, ChainKey, PortMatch, Rule, RuleSet } from "../../lib/policy/rule-set.ts";
import { anyRuleSet } from "../host/policy/any-rule-set.ts";
import { changeBetween } from "../host/policy/rule-set-change.ts";
import { isLetThrough, type Packet } from "../policy/interpret.ts";
import { type LabPod, linkLocalOf, PodLab, podBridge } from "./pod-lab.ts";
import { type PodProbe, PodProbes } from "./pod-probes.ts";
import { serviceRules } from "./service-rules.ts";
import { must } from "./shell.ts";

export interface BehaviourOptions {
  /** Tells labs apart; at most four characters. */
  readonly tag: string;
  readonly makeEnforcer: (options: EnforcerOptions) => HostEnforcer;
  /** How many times one policy takes the place of another under a stream of packets. */
  readonly flips: number;
}

/** What every packet filter that enforces policies does, on the real kernel. */
export function policyBehaviour(title: string, options: BehaviourOptions): void {
  describe(title, () => {
    let site: Site;
    beforeAll(() => {
      site = new Site(options);
    });
    afterEach(() => site.remove());
    afterAll(() => site?.[Symbol.dispose]());

    test("does what random rule sets say, one after the other", () => {
      const { pods, probes } = site;
      const everybody = pods.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
      const { ruleSet, next } = anyRuleSet(everybody);
      const walk = ruleSet.chain((first) =>
        next(first).chain((second) => next(second).map((third) => [first, second, third])),
      );
      const property = fc.property(walk, (steps) => {
        let before: RuleSet | undefined;
        site.remove();
        for (const rules of steps) {
          site.enforce(rules, before);
          before = rules;
          const wanted = probesBetween(pods, [80, 443]);
          const allowed = new Map(
            wanted.map((probe) => [probe, isLetThrough(rules, packetOf(probe))]),
          );
          const reached = probes.reached(wanted, (probe) => allowed.get(probe)!);
          expect(wanted.filter((probe) => reached.has(probe) !== allowed.get(probe))).toEqual([]);
          expect(site.isSpoilt()).toBe(false);
        }
      });
      fc.assert(property, { seed: 1, numRuns: 20 });
    });

    test("goes from one rule set to the next with no moment that neither would have", async () => {
      const [a, b] = site.pods;
      const one = onlyTo(b, "one", [8080, 443]);
      const two = onlyTo(b, "two", [53, 8080]);
      site.enforce(one);
      const script = `${import.meta.dir}/policy-stream.ts`;
      const words = [a.namespace.path, b.namespace.path, formatIpv4(b.ipv4)];
      const stream = Bun.spawn([process.execPath, script, ...words], {
        ...{ stdin: "pipe", stdout: "pipe" },
      });
      const lines = stream.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe("sending\n");
      for (let flips = 0; flips < options.flips; flips++) {
        const [before, after] = flips % 2 === 0 ? [one, two] : [two, one];
        site.enforce(after, flips % 3 === 2 ? undefined : before);
        await new Promise(setImmediate);
      }
      stream.stdin.end();
      const [sent, allowed, denied] = (await lines.next()).value!.match(/\d+/g)!.map(Number);
      expect({ allowed, denied }).toEqual({ allowed: sent, denied: 0 });
      expect(sent).toBeGreaterThan(options.flips);
    });

    test("lets connections go on that were let through", async () => {
      const [a, b] = site.pods;
      const received: string[] = [];
      const heard = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<void>();
      const server = b.namespace.run(() =>
        Bun.listen({
          hostname: formatIpv4(b.ipv4),
          port: 8080,
          socket: {
            open: () => opened.resolve(),
            data(_socket, data) {
              received.push(data.toString());
              heard.resolve();
            },
          },
        }),
      );
      site.enforce(rulesFor("ingress", [b], chainOf(allowAll)));
      const client = connecting(a, b, 8080);
      await opened.promise;
      site.enforce(rulesFor("ingress", [b], chainOf(denyAll)));
      site.mustNotReach(a, b);
      sendOne(client, new TextEncoder().encode("still here"), "client");
      await heard.promise;
      expect(received).toEqual(["still here"]);
      server.stop(true);
    });

    test("judges neither what a node and its pods say to each other, nor a pod and itself", async () => {
      const [a, b] = site.pods;
      const both = rulesFor("ingress", [a, b], chainOf(denyAll));
      site.enforce({
        ...both,
        targets: { ingress: both.targets.ingress, egress: both.targets.ingress },
      });
      const { node } = site;
      site.mustReach(node, a);
      site.mustReach(a, node);
      site.mustNotReach(a, b);
      const service = { ...node, ipv4: parseIpv4("10.96.0.1") };
      await site.inHost("nft", "-f", "-", serviceRules(service.ipv4, a.ipv4));
      site.mustReach(a, service);
      site.mustNotReach(b, service);
      await site.inHost("nft", "-f", "-", "delete table ip service");
    });

    test("judges what is routed to pods and from them", () => {
      const [a] = site.pods;
      const { outside } = site;
      site.mustReach(a, outside);
      site.mustReach(outside, a);
      site.enforce(rulesFor("egress", [a], chainOf(denyAll)));
      site.mustNotReach(a, outside);
      site.mustReach(outside, a);
      site.enforce(rulesFor("ingress", [a], chainOf(denyAll)));
      site.mustReach(a, outside);
      site.mustNotReach(outside, a);
    });

    test("keeps those who are judged from link-local addresses, of whom nobody knows whose they are", () => {
      const [a, b, c] = site.pods;
      const [aOnLink, bOnLink] = [a, b].map((each) => ({ ...each, ipv6: linkLocalOf(each) }));
      site.attempt(aOnLink!, bOnLink!, true, "TCP", 6);
      for (const direction of ["ingress", "egress"] as const) {
        const rules = rulesFor(direction, [b], chainOf(denyAll));
        for (const each of [rules, ofIpv4(rules)]) {
          site.enforce(each);
          site.attempt(aOnLink!, bOnLink!, false, "TCP", 6);
          site.attempt(bOnLink!, aOnLink!, false, "UDP", 6);
          site.attempt(bOnLink!, c, false, "UDP", 6);
          site.attempt(a, c, true, "TCP", 6);
          expect(site.isSpoilt()).toBe(false);
        }
      }
      const [some, nobody] = [ofIpv4(rulesFor("egress", [b], chainOf(denyAll))), noRules];
      site.enforce(some);
      site.enforce(nobody, some);
      site.attempt(aOnLink!, bOnLink!, true, "TCP", 6);
      site.enforce(some, nobody);
      site.attempt(aOnLink!, bOnLink!, false, "TCP", 6);
    });

    const groupBlock = { kind: "block", block: parseCidr("239.0.0.0/8"), except: [] } as const;
    const toGroup = chainOf({ ...allowAll, peer: groupBlock }, denyAll);
    const cases: readonly [MulticastPolicy, Chain, boolean][] = [
      ["allow", chainOf(denyAll), true],
      ["deny", chainOf(allowAll), false],
      ["egress", chainOf(denyAll), false],
      ["egress", toGroup, true],
    ];
    for (const [multicast, chain, passesOn] of cases) {
      const rest = chain === toGroup ? "its block" : "everybody";
      const what = chain.tiers[0]![0]!.verdict === "deny" ? "nobody" : rest;
      test(`${passesOn ? "lets" : "lets not"} a group be reached: "${multicast}", egress to ${what}`, () => {
        const [a, b] = site.pods;
        site.enforce(rulesFor("egress", [a], chain), undefined, multicast);
        site.attempt(a, { ...b, ipv4: group }, passesOn, "UDP");
      });
    }

    test("lets everything through when it is removed, and the bridge be as it was", async () => {
      const [a, b] = site.pods;
      site.enforce(rulesFor("ingress", [b], chainOf(denyAll)));
      site.mustNotReach(a, b);
      site.remove();
      site.mustReach(a, b);
      using netlink = openRoute(site.node.namespace);
      expect(findLink(netlink, { name: podBridge })?.filtered).toBe(false);
    });
  });
}

const group = parseIpv4("239.1.2.3");
const allowAll: Rule = { peer: { kind: "any" }, ports: "any", verdict: "allow", origin: "allow" };
const denyAll: Rule = { ...allowAll, verdict: "deny", origin: "deny" };

function chainOf(...rules: readonly Rule[]): Chain {
  return { tiers: [rules] };
}

function rulesFor(direction: Direction, pods: readonly LabPod[], chain: Chain): RuleSet {
  const judged = new Map<HostIp, ChainKey>(
    pods.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6].map((ip) => [ip, "all"] as const)),
  );
  const none = new Map();
  return {
    ...{ sets: none, portSets: none, chains: new Map([["all", chain]]) },
    targets: { ingress: none, egress: none, [direction]: judged },
  };
}

const noRules: RuleSet = {
  ...{ sets: new Map(), portSets: new Map(), chains: new Map() },
  targets: { ingress: new Map(), egress: new Map() },
};

/** As if no pod had an address of IPv6 that anybody knew of. */
function ofIpv4({ targets: { ingress, egress }, ...rules }: RuleSet): RuleSet {
  const of = (targets: ReadonlyMap<HostIp, ChainKey>) =>
    new Map([...targets].filter(([ip]) => typeof ip === "number"));
  return { ...rules, targets: { ingress: of(ingress), egress: of(egress) } };
}

/** Only these ports of a pod can be reached. */
function onlyTo(pod: LabPod, key: string, ports: readonly number[]): RuleSet {
  const numbers = ports.map(
    (port): PortMatch => ({ kind: "numbers", protocol: "UDP", first: port, last: port }),
  );
  return {
    sets: new Map(),
    portSets: new Map(),
    chains: new Map([[key, chainOf({ ...allowAll, ports: numbers }, denyAll)]]),
    targets: { ingress: new Map([[pod.ipv4, key]]), egress: new Map() },
  };
}

function probesBetween(pods: readonly LabPod[], ports: readonly number[]): PodProbe[] {
  return pods.flatMap((from) =>
    pods
      .filter((to) => to !== from)
      .flatMap((to) =>
        ports.flatMap((port) =>
          (["TCP", "UDP"] as const).flatMap((protocol) =>
            ([4, 6] as const).map((family) => ({ from, to, family, protocol, port })),
          ),
        ),
      ),
  );
}

function packetOf({ from, to, family, protocol, port }: PodProbe): Packet {
  const [source, destination] = family === 4 ? [from.ipv4, to.ipv4] : [from.ipv6, to.ipv6];
  return { source, destination, port: { protocol, port } };
}

function connecting(from: LabPod, to: LabPod, port: number): number {
  return from.namespace.run(() => {
    const SOCK_STREAM = 1;
    const socket = openSocket(udpByIpv4.domain, SOCK_STREAM, 0, "client");
    try {
      connectSocket(socket, socketAddress(udpByIpv4, to.ipv4, port), "client");
    } catch (error) {
      if (!isSystemError(error, "EINPROGRESS")) throw error;
    }
    return socket;
  });
}

/** One host with pods, and somebody outside whom it routes to. */
class Site implements Disposable {
  readonly pods: readonly [LabPod, LabPod, LabPod, LabPod];
  readonly node: LabPod;
  readonly outside: LabPod;
  readonly probes = new PodProbes([80, 443]);
  readonly #lab: PodLab;
  readonly #host: NetworkNamespace;
  readonly #makeEnforcer: BehaviourOptions["makeEnforcer"];
  #enforcer: HostEnforcer | undefined;

  constructor({ tag, makeEnforcer }: BehaviourOptions) {
    this.#makeEnforcer = makeEnforcer;
    this.#lab = new PodLab(tag, 1);
    this.#host = this.#lab.hosts[0]!;
    const pod = (number: number) => this.#lab.pod(this.#host, number);
    this.pods = [pod(1), pod(2), pod(257), pod(513)];
    ({ node: this.node, outside: this.outside } = this.#lab.connectOutside(this.pods));
    for (const each of this.pods) this.probes.listen(each);
    this.probes.join(this.pods[1], group);
  }

  /** From `before`, or from whatever there is. */
  enforce(rules: RuleSet, before?: RuleSet, multicast: MulticastPolicy = "allow"): void {
    const options = { bridge: podBridge, multicast, log: silentLog } as const;
    this.#host.run(() => {
      this.#enforcer ??= this.#makeEnforcer(options);
      if (before === undefined) this.#enforcer.replace(rules);
      else this.#enforcer.apply(changeBetween(before, rules), rules);
    });
  }

  isSpoilt(): boolean {
    return this.#host.run(() => this.#enforcer!.isSpoilt());
  }

  remove(): void {
    this.#host.run(() => this.#enforcer?.remove());
    this.#enforcer = undefined;
  }

  mustReach(from: LabPod, to: LabPod): void {
    this.attempt(from, to, true);
  }

  mustNotReach(from: LabPod, to: LabPod): void {
    this.attempt(from, to, false);
  }

  attempt(
    from: LabPod,
    to: LabPod,
    succeeds: boolean,
    protocol: "TCP" | "UDP" = "TCP",
    family: IpFamily = 4,
  ): void {
    const probe = { from, to, family, protocol, port: 80 } as const;
    expect(this.probes.reached([probe], () => succeeds).size > 0).toBe(succeeds);
  }

  async inHost(...words: readonly string[]): Promise<void> {
    const stdin = words.at(-1)!;
    const command = ["nsenter", `--net=${this.#host.path}`, ...words.slice(0, -1)];
    await must(command, { stdin });
  }

  [Symbol.dispose](): void {
    this.remove();
    this.probes[Symbol.dispose]();
    this.#lab[Symbol.dispose]();
  }
}
