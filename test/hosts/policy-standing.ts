import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { formatIpv4, type HostIp, parseCidr, parseIpv4 } from "../../lib/base/ip.ts";
import { silentLog } from "../../lib/base/world.ts";
import { type Looked, lookThrough } from "../../lib/daemon/policy/standing-look.ts";
import { machineWorld } from "../../lib/host/machine-world.ts";
import { type ConntrackTuple, connections } from "../../lib/host/netlink/conntrack.ts";
import { openNetfilter } from "../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { cutMark } from "../../lib/host/policy/cut-mark.ts";
import type { HostEnforcer } from "../../lib/host/policy/host-enforcer.ts";
import { StandingFlows } from "../../lib/host/policy/standing-flows.ts";
import type { Direction } from "../../lib/policy/objects.ts";
import type { ChainKey, PortMatch, Rule, RuleSet } from "../../lib/policy/rule-set.ts";
import { changeBetween } from "../host/policy/rule-set-change.ts";
import { type LabPod, linkLocalOf, PodLab, podBridge } from "./pod-lab.ts";
import { mustBeCut, mustGoOn, PodTalk, type TalkEnd, type TalkOptions } from "./pod-talk.ts";
import type { BehaviourOptions } from "./policy-behaviour.ts";
import { serviceRules } from "./service-rules.ts";
import { must } from "./shell.ts";

/** What every packet filter does with connections that stand, on the real kernel. */
export function policyStanding(title: string, options: Omit<BehaviourOptions, "flips">): void {
  describe(title, () => {
    let site: Site;
    const talks = new DisposableStack();
    beforeAll(() => {
      site = new Site(options);
    });
    afterEach(() => {
      site.remove();
    });
    afterAll(() => {
      talks.dispose();
      site?.[Symbol.dispose]();
    });
    let port = 8000;
    const begin = async (from: LabPod, to: LabPod, how: TalkOptions) => {
      port++;
      return { port, talk: talks.use(await PodTalk.begin(from, to, port, how)) };
    };

    for (const protocol of ["TCP", "UDP"] as const) {
      for (const family of [4, 6] as const) {
        for (const direction of ["ingress", "egress"] as const) {
          test(`ends ${protocol} by IPv${family} that ${direction} allows no more, and that alone`, async () => {
            const { a, b } = site;
            const how = { protocol, family } as const;
            const judged = { direction, pod: direction === "ingress" ? b : a };
            const open = denying(judged);
            site.enforce(open);
            const denied = await begin(a, b, how);
            const other = await begin(a, b, how);
            site.enforce(denying(judged, denied.port), open);
            expect((await site.look()).cut).toBe(1);
            await mustBeCut(denied.talk, other.talk);
            site.enforce(open);
            expect((await site.look()).cut).toBe(0);
            await mustGoOn(denied.talk);
          });
        }
      }
    }

    test("judges where a service has led to, and who came before a masquerade", async () => {
      const { a, b, outside } = site;
      const service = parseIpv4("10.96.0.1");
      await site.inHost("nft", "-f", "-", serviceRules(service, b.ipv4));
      const open = denying({ direction: "ingress", pod: b });
      site.enforce(open);
      const within = await begin(a, b, { protocol: "TCP", by: service });
      const without = await begin(outside, b, { protocol: "TCP", by: service });
      const other = await begin(a, b, { protocol: "TCP" });
      site.enforce(blocking(b, "198.51.100.0/24"), open);
      expect((await site.look()).cut).toBe(1);
      await mustBeCut(without.talk, within.talk);
      site.enforce(denying({ direction: "ingress", pod: b }, within.port));
      expect((await site.look()).cut).toBe(1);
      await mustBeCut(within.talk, other.talk);
      await mustGoOn(without.talk);
      await site.inHost("nft", "-f", "-", "delete table ip service");
    });

    test("leaves what a host and its pods say to each other, and a pod to itself", async () => {
      const { a, b, node } = site;
      const service = parseIpv4("10.96.0.1");
      await site.inHost("nft", "-f", "-", serviceRules(service, b.ipv4));
      const open = denying({ direction: "ingress", pod: b });
      site.enforce(open);
      const talks = [
        await begin(node, b, { protocol: "TCP" }),
        await begin(b, b, { protocol: "TCP", by: service }),
      ];
      const other = await begin(a, b, { protocol: "TCP" });
      const nobody = blocking(b, "0.0.0.0/0");
      site.enforce(nobody, open);
      await site.look();
      expect(site.markOf(other.port)).toBe(cutMark);
      for (const { port, talk } of talks) {
        expect(site.markOf(port)).toBe(0);
        await mustGoOn(talk);
      }
      await site.inHost("nft", "-f", "-", "delete table ip service");
    });

    test("cuts what another connection has announced with that one alone", async () => {
      const { a, b } = site;
      const [control, data] = [2100, 2200];
      await site.inHost("nft", "-f", "-", ftpRules(control));
      const judged = { direction: "ingress", pod: b } as const;
      const open = denying(judged, data);
      site.enforce(open);
      const announcing = talks.use(await PodTalk.begin(a, b, control, { protocol: "TCP" }));
      const where = [...formatIpv4(b.ipv4).split("."), data >> 8, data & 255].join();
      announcing.say("server", `227 Entering Passive Mode (${where})\r\n`);
      await announcing.hears("client", "227");
      const announced = talks.use(await PodTalk.begin(a, b, data, { protocol: "TCP" }));
      const other = await begin(a, b, { protocol: "TCP" });
      expect((await site.look()).cut).toBe(0);
      await mustGoOn(announced);
      site.enforce(denying(judged, data, control), open);
      expect((await site.look()).cut).toBe(2);
      await mustBeCut(announced, other.talk);
      await site.inHost("nft", "-f", "-", "delete table ip ftp");
    });

    test("cuts what it has seen from its middle on when neither end might have begun it", async () => {
      const { a, b } = site;
      const open = denying({ direction: "ingress", pod: a });
      site.enforce(open);
      const { port, talk } = await begin(a, b, { protocol: "TCP" });
      site.forgetConnections();
      // The first that the kernel sees of it is an answer.
      talk.say("server", "again");
      await talk.hears("client", "again");
      const nobody = blocking(a, "0.0.0.0/0");
      site.enforce(nobody, open);
      await site.look();
      expect(site.markOf(port)).toBe(0);
      await mustGoOn(talk);
      const { ingress } = nobody.targets;
      site.enforce({ ...nobody, targets: { ingress, egress: ingress } });
      await site.look();
      expect(site.markOf(port)).toBe(cutMark);
    });

    test("cuts what goes round all rules by link-local addresses", async () => {
      const { a, b } = site;
      const [aOnLink, bOnLink] = [a, b].map((each) => ({ ...each, ipv6: linkLocalOf(each) }));
      const nobody = { ...denying({ direction: "ingress", pod: a }), targets: noTargets };
      site.enforce(nobody);
      const { port, talk } = await begin(aOnLink!, bOnLink!, { protocol: "UDP", family: 6 });
      const other = await begin(a, b, { protocol: "UDP", family: 6 });
      site.enforce(denying({ direction: "ingress", pod: a }), nobody);
      await site.look();
      expect(site.markOf(port)).toBe(cutMark);
      await mustBeCut(talk, other.talk);
    });

    test("leaves other bits of marks as they are", async () => {
      const { a, b } = site;
      await site.inHost("nft", "-f", "-", markingRules);
      const judged = { direction: "ingress", pod: b } as const;
      site.enforce(denying(judged));
      const { port, talk } = await begin(a, b, { protocol: "TCP" });
      await site.inHost("nft", "-f", "-", "delete table ip others");
      const other = await begin(a, b, { protocol: "TCP" });
      site.enforce(denying(judged, port));
      await site.look();
      await mustBeCut(talk, other.talk);
      expect(site.markOf(port)).toBe((0x2a | cutMark) >>> 0);
      site.enforce(denying(judged));
      await site.look();
      expect(site.markOf(port)).toBe(0x2a);
    });

    test("loses nothing of what is allowed", async () => {
      const { a, b } = site;
      const judged = { direction: "ingress", pod: b } as const;
      const open = denying(judged);
      site.enforce(open);
      const denied = await begin(a, b, { protocol: "UDP" });
      const allowed = await begin(a, b, { protocol: "UDP" });
      const shut = denying(judged, denied.port);
      let said = 0;
      const saying = setInterval(() => {
        for (const end of ["client", "server"] as const) allowed.talk.say(end, ".");
        said++;
      }, 1);
      for (let flips = 0; flips < 10; flips++) {
        const [before, after] = flips % 2 === 0 ? [open, shut] : [shut, open];
        site.enforce(after, flips % 3 === 2 ? undefined : before);
        expect((await site.look()).cut).toBe(1 - (flips % 2));
      }
      clearInterval(saying);
      const dots = (end: TalkEnd) => allowed.talk.heard(end).match(/\./g)?.length;
      expect(said).toBeGreaterThan(0);
      expect([dots("client"), dots("server")]).toEqual([said, said]);
    });
  });
}

/** As somebody else may do it, for his own ends. */
const markingRules = `
  table ip others {
    chain marking {
      type filter hook forward priority 0
      ct mark set 0x2a
    }
  }`;

/** Has the kernel read what is said at a port, for connections that are announced there. */
function ftpRules(port: number): string {
  return `
    table ip ftp {
      ct helper reading { type "ftp" protocol tcp; }
      chain before {
        type filter hook prerouting priority 0
        tcp dport ${port} ct helper set "reading"
      }
    }`;
}

const noTargets = { ingress: new Map(), egress: new Map() };

interface Judged {
  readonly direction: Direction;
  readonly pod: LabPod;
}

/** Keeps a pod from sending or receiving what is for these ports. */
function denying({ direction, pod }: Judged, ...ports: readonly number[]): RuleSet {
  const numbers = ports.flatMap((port) =>
    (["TCP", "UDP"] as const).map((protocol): PortMatch => {
      return { kind: "numbers", protocol, first: port, last: port };
    }),
  );
  const any = { peer: { kind: "any" }, origin: "test" } as const;
  const rules: Rule[] = [
    ...(ports.length === 0 ? [] : [{ ...any, ports: numbers, verdict: "deny" } as const]),
    { ...any, ports: "any", verdict: "allow" },
  ];
  const none = new Map();
  const judged = new Map<HostIp, ChainKey>([pod.ipv4, pod.ipv6].map((ip) => [ip, "all"]));
  return {
    ...{ sets: none, portSets: none, chains: new Map([["all", { tiers: [rules] }]]) },
    targets: { ingress: none, egress: none, [direction]: judged },
  };
}

/** Keeps out who comes from there. */
function blocking(pod: LabPod, block: string): RuleSet {
  const open = denying({ direction: "ingress", pod });
  const from = { kind: "block", block: parseCidr(block), except: [] } as const;
  const deny: Rule = { peer: from, ports: "any", verdict: "deny", origin: "test" };
  const [rules = []] = open.chains.get("all")!.tiers;
  return { ...open, chains: new Map([["all", { tiers: [[deny, ...rules]] }]]) };
}

function hasPort(port: number): (tuple: ConntrackTuple) => boolean {
  return ({ sourcePort }) => sourcePort === port;
}

class Site implements Disposable {
  readonly a: LabPod;
  readonly b: LabPod;
  readonly node: LabPod;
  readonly outside: LabPod;
  readonly #lab: PodLab;
  readonly #host: NetworkNamespace;
  readonly #makeEnforcer: BehaviourOptions["makeEnforcer"];
  #enforcer: HostEnforcer | undefined;
  #rules: RuleSet | undefined;

  constructor({ tag, makeEnforcer }: Omit<BehaviourOptions, "flips">) {
    this.#makeEnforcer = makeEnforcer;
    this.#lab = new PodLab(tag, 1);
    this.#host = this.#lab.hosts[0]!;
    [this.a, this.b] = [this.#lab.pod(this.#host, 1), this.#lab.pod(this.#host, 2)];
    ({ node: this.node, outside: this.outside } = this.#lab.connectOutside([this.a, this.b]));
  }

  /** From `before`, or from whatever there is. */
  enforce(rules: RuleSet, before?: RuleSet): void {
    const options = {
      bridge: podBridge,
      multicast: "allow",
      dropsCut: true,
      log: silentLog,
    } as const;
    this.#host.run(() => {
      this.#enforcer ??= this.#makeEnforcer(options);
      if (before === undefined) this.#enforcer.replace(rules);
      else this.#enforcer.apply(changeBetween(before, rules), rules);
    });
    this.#rules = rules;
  }

  /** Through all flows, by the rules that were put in place last. */
  async look(): Promise<Looked> {
    const looked: Looked = { flows: [], cut: 0, tookMs: 0 };
    using look = this.#host.run(() => new StandingFlows().look("all"));
    const judge = { rules: this.#rules, judgesGroups: false };
    await lookThrough(machineWorld(silentLog), look, judge, looked, new AbortController().signal);
    return looked;
  }

  /** As a kernel is that has kept track of nothing yet. */
  forgetConnections(): void {
    using netlink = openNetfilter(this.#host);
    const deleteAll = 0x0102;
    netlink.request(deleteAll, 0, new Uint8Array(4), "connections");
  }

  /** Of the connection of which one end has this port. */
  markOf(port: number): number | undefined {
    using netlink = openNetfilter(this.#host);
    const all = [...connections(netlink)].flat();
    return all.find(({ original, reply }) => [original, reply].some(hasPort(port)))?.mark;
  }

  remove(): void {
    this.#host.run(() => this.#enforcer?.remove());
    this.#enforcer = undefined;
  }

  async inHost(...words: readonly string[]): Promise<void> {
    const stdin = words.at(-1)!;
    await must(["nsenter", `--net=${this.#host.path}`, ...words.slice(0, -1)], { stdin });
  }

  [Symbol.dispose](): void {
    this.remove();
    this.#lab[Symbol.dispose]();
  }
}
