import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type HostIp, parseCidr, parseIpv4 } from "../../../lib/base/ip.ts";
import { silentLog } from "../../../lib/base/world.ts";
import { changeLink, createBridge, deleteLink, findLink } from "../../../lib/host/netlink/link.ts";
import { listTables } from "../../../lib/host/netlink/nftables.ts";
import { openNetfilter, openRoute } from "../../../lib/host/netlink/open.ts";
import type { NetworkNamespace } from "../../../lib/host/netns.ts";
import type { EnforcerOptions } from "../../../lib/host/policy/host-enforcer.ts";
import { LogLabels } from "../../../lib/host/policy/log-labels.ts";
import { missingForNftables, NftablesEnforcer } from "../../../lib/host/policy/nft-enforcer.ts";
import { NftPolicyTable } from "../../../lib/host/policy/nft-policy-table.ts";
import { setSysctl } from "../../../lib/host/sysctl.ts";
import { formatPortElement, type PortElement, type RuleSet } from "../../../lib/policy/rule-set.ts";
import { Laboratory } from "../laboratory.ts";
import { anyRuleSet } from "./any-rule-set.ts";
import { changeBetween } from "./rule-set-change.ts";

const options: EnforcerOptions = { bridge: "weave", multicast: "allow", log: silentLog };
const [web, client, other] = ["10.32.0.3", "10.32.0.1", "10.32.0.2"].map(parseIpv4) as [
  number,
  number,
  number,
];
const named: PortElement = { address: web, protocol: "TCP", port: 8080 };

const peers = "pods of shop: app=web";

/** One of everything. */
const rules: RuleSet = {
  sets: new Map([[peers, new Set([client, other])]]),
  portSets: new Map([["http of shop", new Map([[formatPortElement(named), named]])]]),
  chains: new Map([
    [
      "ingress of shop: web",
      {
        tiers: [
          [
            {
              peer: {
                kind: "block",
                block: parseCidr("0.0.0.0/0"),
                except: [parseCidr("10.0.0.0/8")],
              },
              ports: "any",
              verdict: "pass",
              origin: "admin outside",
            },
          ],
          [
            {
              peer: { kind: "set", set: peers },
              ports: [
                { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
                { kind: "numbers", protocol: "SCTP", first: 8000, last: 8010 },
                { kind: "set", set: "http of shop" },
              ],
              verdict: "allow",
              origin: "shop/web",
            },
            { peer: { kind: "any" }, ports: "any", verdict: "deny", origin: "shop/web" },
          ],
        ],
      },
    ],
  ]),
  targets: { ingress: new Map([[web, "ingress of shop: web"]]), egress: new Map() },
};

/** As an operator sees it. */
const listing = `table ip weave-npc {
  set self {
    type ipv4_addr . ipv4_addr
    elements = { 10.32.0.3 . 10.32.0.3 }
  }

  map ingress {
    type ipv4_addr : verdict
    size 1
    elements = { 10.32.0.3 : goto ingress-‹name› }
  }

  map egress {
    type ipv4_addr : verdict
    size 1
  }

  set peers-‹name› {
    type ipv4_addr
    size 18
    comment "pods of shop: app=web"
    elements = { 10.32.0.1, 10.32.0.2 }
  }

  set ports-‹name› {
    type ipv4_addr . inet_proto . inet_service
    size 17
    comment "http of shop"
    elements = { 10.32.0.3 . tcp . 8080 }
  }

  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname != "weave" oifname != "weave" return comment "nothing of pods"
    ct state established,related return comment "has been let through"
    ip daddr 224.0.0.0/4 return comment "multicast"
    ip saddr vmap @egress
    ip daddr vmap @ingress
  }

  chain ingress-‹name› {
    comment "ingress of shop: web"
    oifname != "weave" return comment "not of a pod here"
    ip saddr . ip daddr @self return comment "a pod to itself"
    ip saddr 0.0.0.0-9.255.255.255 goto ingress-‹name›/2 comment "admin outside"
    ip saddr 11.0.0.0-255.255.255.255 goto ingress-‹name›/2 comment "admin outside"
    goto ingress-‹name›/2
  }

  chain ingress-‹name›/2 {
    comment "ingress of shop: web"
    ip saddr @peers-‹name› tcp dport 80 return comment "shop/web"
    ip saddr @peers-‹name› sctp dport 8000-8010 return comment "shop/web"
    ip saddr @peers-‹name› ip daddr . meta l4proto . th dport @ports-‹name› return comment "shop/web"
    limit rate 20/second burst 100 packets log prefix "weave-npc:ingress:‹name›" group 86 snaplen 128 comment "shop/web"
    counter packets 0 bytes 0 drop comment "shop/web"
  }
}
`;

/** Where there is nothing to judge, what there is would let all through. */
const listing6 = `table ip6 weave-npc {
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname != "weave" oifname != "weave" return comment "nothing of pods"
    ct state established,related return comment "has been let through"
    icmpv6 type 130-137 return comment "neighbours find each other"
    icmpv6 type mld2-listener-report return comment "neighbours say what they hear"
    ip6 daddr ff00::/8 return comment "multicast"
    ip6 saddr fe80::/10 limit rate 20/second burst 100 packets log prefix "weave-npc:egress:‹name›" group 86 snaplen 128 comment "link-local"
    ip6 saddr fe80::/10 counter packets 0 bytes 0 drop comment "link-local"
    ip6 daddr fe80::/10 limit rate 20/second burst 100 packets log prefix "weave-npc:egress:‹name›" group 86 snaplen 128 comment "link-local"
    ip6 daddr fe80::/10 counter packets 0 bytes 0 drop comment "link-local"
  }
}
`;

const laboratory = new Laboratory("nft");
afterAll(() => laboratory.close());

/** A namespace with a bridge. */
function host(name: string): NetworkNamespace {
  const namespace = laboratory.namespace(name);
  using netlink = openRoute(namespace);
  createBridge(netlink, { name: "weave", up: true });
  return namespace;
}

function nft(...words: readonly string[]): string {
  const { stdout, stderr } = Bun.spawnSync(["nft", ...words]);
  expect(stderr.toString()).toBe("");
  return stdout.toString();
}

/** What is changed by somebody else, and whether that is noticed. */
function noticed(enforcer: NftablesEnforcer, change: () => void): boolean {
  enforcer.remove();
  enforcer.replace(rules);
  expect(enforcer.isSpoilt()).toBe(false);
  change();
  return enforcer.isSpoilt();
}

describe("policies in nftables", () => {
  test("can be read by an operator", () => {
    const texts = host("text").run(() => {
      new NftablesEnforcer(options).replace(rules);
      return ["ip", "ip6"].map((family) => nft("list", "table", family, "weave-npc"));
    });
    const shown = texts.map((text) =>
      text.replaceAll(/[a-z2-7]{16}/g, "‹name›").replaceAll("\t", "  "),
    );
    expect(shown).toEqual([listing, listing6]);
  });

  test("drop what belongs to connections that were cut, before those that are known pass", () => {
    const text = host("cut").run(() => {
      const enforcer = new NftablesEnforcer({ ...options, dropsCut: true });
      enforcer.replace(rules);
      expect(enforcer.isSpoilt()).toBe(false);
      return nft("list", "table", "ip6", "weave-npc");
    });
    const lines = text.split("\n").map((line) => line.trim());
    expect(lines.slice(3, 6)).toEqual([
      'iifname != "weave" oifname != "weave" return comment "nothing of pods"',
      'ct mark & 0x40000000 != 0x00000000 counter packets 0 bytes 0 drop comment "would not be let through any more"',
      'ct state established,related return comment "has been let through"',
    ]);
  });

  test("can be read back by the program that lists them", () => {
    const quoted = {
      ...rules,
      sets: new Map([...rules.sets, ['pods of "shop"', new Set<HostIp>()]]),
    };
    host("quoted").run(() => {
      new NftablesEnforcer(options).replace(quoted);
      const text = nft("list", "table", "ip", "weave-npc");
      expect(text).toContain("pods of 'shop'");
      const { exitCode } = Bun.spawnSync(["nft", "-c", "-f", "-"], { stdin: Buffer.from(text) });
      expect(exitCode).toBe(0);
    });
  });

  test("have more room made for them when a set outgrows what it had", () => {
    host("room").run(() => {
      const enforcer = new NftablesEnforcer(options);
      enforcer.replace(rules);
      let before = rules;
      for (const count of [18, 19, 200, 1]) {
        const addresses = Array.from({ length: count }, (_, index) => other + index);
        const after = { ...rules, sets: new Map([[peers, new Set<HostIp>(addresses)]]) };
        enforcer.apply(changeBetween(before, after), after);
        expect(found()).toEqual(wantedFor(after));
        before = after;
      }
    });
  });

  test("are asked of the kernel before, of which nothing is left", () => {
    const namespace = host("rehearsal");
    namespace.run(() => {
      expect([missingForNftables(), missingForNftables(true)]).toEqual([undefined, undefined]);
      using netlink = openNetfilter();
      expect((["ip", "ip6"] as const).flatMap((family) => listTables(netlink, family))).toEqual([]);
    });
  });

  test("are in the kernel after every change what they would be if put there at once", () => {
    const namespace = host("walk");
    const { ruleSet, next } = anyRuleSet([web, client, other, "fd32::1", "fd32::2"]);
    const walk = ruleSet.chain((first) =>
      next(first).chain((second) => next(second).map((third) => [first, second, third] as const)),
    );
    const enforcer = new NftablesEnforcer(options);
    const property = fc.property(walk, ([first, ...rest]) => {
      enforcer.replace(first);
      let before = first;
      for (const after of rest) {
        enforcer.apply(changeBetween(before, after), after);
        before = after;
        expect(found()).toEqual(wantedFor(after));
        expect(enforcer.isSpoilt()).toBe(false);
      }
      const { sets, chains } = enforcer.size();
      expect({ sets, chains }).toEqual(sizeOf(before));
    });
    namespace.run(() => fc.assert(property, { seed: 1, numRuns: 25 }));
  });

  test("take many thousands of elements in one transaction", () => {
    const addresses = Array.from({ length: 20_000 }, (_, index) => parseIpv4("10.64.0.0") + index);
    const large = { ...rules, sets: new Map([[peers, new Set(addresses)]]) };
    host("large").run(() => {
      const enforcer = new NftablesEnforcer(options);
      enforcer.replace(large);
      enforcer.apply(changeBetween(large, rules), rules);
      enforcer.apply(changeBetween(rules, large), large);
      expect(enforcer.size().elements).toBe(20_003);
      expect(nft("list", "table", "ip", "weave-npc").match(/10\.64\.\d+\.\d+/g)).toHaveLength(
        20_000,
      );
    });
  });
});

describe("policies that somebody else changes", () => {
  const changes: Readonly<Record<string, () => void>> = {
    "all rules of the host are flushed": () => nft("flush", "ruleset"),
    "the rules of the table are flushed": () => nft("flush", "table", "ip", "weave-npc"),
    "a rule is put in front": () => nft("insert", "rule", "ip", "weave-npc", "forward", "accept"),
    "the table is put to sleep": () => nft("add", "table", "ip", "weave-npc", "{ flags dormant; }"),
    "a pod is taken out of its map": () =>
      nft("delete", "element", "ip", "weave-npc", "ingress", "{ 10.32.0.3 }"),
    "a set is flushed": () => nft("flush", "map", "ip", "weave-npc", "ingress"),
    "the bridge is no longer shown to filters": () => setFiltered(false),
    "the bridge is made anew": () => {
      using netlink = openRoute();
      deleteLink(netlink, findLink(netlink, { name: "weave" })!.index);
      createBridge(netlink, { name: "weave", up: true });
    },
  };
  for (const [index, [what, change]] of Object.entries(changes).entries()) {
    test(`are noticed when ${what}, and mended`, () => {
      host(`spoilt${index}`).run(() => {
        const enforcer = new NftablesEnforcer(options);
        expect(noticed(enforcer, change)).toBe(true);
        enforcer.replace(rules);
        expect(enforcer.isSpoilt()).toBe(false);
        using netlink = openRoute();
        expect(findLink(netlink, { name: "weave" })?.filtered).toBe(true);
      });
    });
  }

  test("are mended by the change after one that failed", () => {
    host("failed").run(() => {
      const enforcer = new NftablesEnforcer(options);
      enforcer.replace(rules);
      nft("delete", "table", "ip", "weave-npc");
      const ingress = new Map([...rules.targets.ingress, [other, "ingress of shop: web"]]);
      const both: RuleSet = { ...rules, targets: { ...rules.targets, ingress } };
      expect(() => enforcer.apply(changeBetween(rules, both), both)).toThrow("ENOENT");
      expect(enforcer.isSpoilt()).toBe(true);
      enforcer.apply(changeBetween(both, rules), rules);
      expect(enforcer.isSpoilt()).toBe(false);
      expect(found()).toEqual(wantedFor(rules));
    });
  });

  test("are taken over from a process that left them", () => {
    host("left").run(() => {
      const former = new NftablesEnforcer(options);
      former.replace(rules);
      const next: RuleSet = {
        ...rules,
        sets: new Map([[peers, new Set([web])]]),
      };
      const enforcer = new NftablesEnforcer(options);
      enforcer.replace(next);
      expect(found()).toEqual(wantedFor(next));
      enforcer.remove();
      expect(enforcer.size()).toEqual({ sets: 0, elements: 0, chains: 0, rules: 0, targets: 0 });
      using netlink = openNetfilter();
      expect((["ip", "ip6"] as const).flatMap((family) => listTables(netlink, family))).toEqual([]);
    });
  });

  test("are not, when it is about something else", () => {
    host("elsewhere").run(() => {
      const enforcer = new NftablesEnforcer(options);
      const elsewhere = noticed(enforcer, () => {
        for (const family of ["ip", "inet"]) nft("add", "table", family, "elsewhere");
        nft("add", "table", "inet", "weave-npc");
        setSysctl("bridge/bridge-nf-call-iptables", 0);
      });
      expect(elsewhere).toBe(false);
    });
  });

  test("are counted when more was changed elsewhere than could be heard", () => {
    const much = Array.from({ length: 30_000 }, (_, index) => `10.${index >> 8}.${index & 255}.0`);
    const set = `set much { type ipv4_addr; elements = { ${much} }; }`;
    const script = `table ip big {\n ${set}\n}`;
    const flood = (): void => {
      const { exitCode } = Bun.spawnSync(["nft", "-f", "-"], { stdin: Buffer.from(`${script}\n`) });
      expect(exitCode).toBe(0);
      nft("delete", "table", "ip", "big");
    };
    host("much").run(() => {
      const enforcer = new NftablesEnforcer(options);
      expect(noticed(enforcer, flood)).toBe(false);
      const also = (...words: readonly string[]) =>
        noticed(enforcer, () => {
          nft(...words);
          flood();
        });
      expect(
        also("delete", "element", "ip", "weave-npc", "self", "{ 10.32.0.3 . 10.32.0.3 }"),
      ).toBe(true);
      expect(also("insert", "rule", "ip", "weave-npc", "forward", "accept")).toBe(true);
      expect(also("delete", "table", "ip", "weave-npc")).toBe(true);
    });
  });
});

function setFiltered(filtered: boolean): void {
  using netlink = openRoute();
  changeLink(netlink, findLink(netlink, { name: "weave" })!.index, { filtered });
}

/** By names of chains and sets in each family, without what tells two that take turns apart. */
interface Counts {
  readonly rules: Record<string, number>;
  readonly elements: Record<string, number>;
}

/** How many rules and elements the kernel has. */
function found(): Counts {
  const [rules, elements] = [new Map<string, number>(), new Map<string, number>()];
  for (const family of ["ip", "ip6"]) {
    const { nftables } = JSON.parse(nft("-j", "list", "table", family, "weave-npc")) as {
      nftables: {
        chain?: { name: string };
        rule?: { chain: string };
        set?: { name: string; elem?: unknown[] };
        map?: { name: string; elem?: unknown[] };
      }[];
    };
    const own = (name: string): string => `${family} ${name}`;
    for (const { chain, rule, set = undefined, map = set } of nftables) {
      if (chain !== undefined) rules.set(own(chain.name), 0);
      if (rule !== undefined) rules.set(own(rule.chain), rules.get(own(rule.chain))! + 1);
      if (map !== undefined) elements.set(own(map.name), map.elem?.length ?? 0);
    }
  }
  return { rules: byName(rules), elements: byName(elements) };
}

/** What they are when rules are put there at once. */
function wantedFor(rules: RuleSet): Counts {
  const of = (counts: "ruleCounts" | "elementCounts") =>
    byName(
      tablesOf(rules).flatMap((table) =>
        Array.from(
          table[counts],
          ([name, count]) => [`${table.id.family} ${name}`, count] as const,
        ),
      ),
    );
  return { rules: of("ruleCounts"), elements: of("elementCounts") };
}

function sizeOf(rules: RuleSet): { sets: number; chains: number } {
  const { rules: chains, elements: sets } = wantedFor(rules);
  return { sets: Object.keys(sets).length, chains: Object.keys(chains).length };
}

function tablesOf(rules: RuleSet): NftPolicyTable[] {
  return ([4, 6] as const).map((family) => {
    const table = new NftPolicyTable(family, options, new LogLabels());
    table.create(rules);
    return table;
  });
}

function byName(counts: Iterable<readonly [string, number]>): Record<string, number> {
  return Object.fromEntries(
    Array.from(counts, ([name, count]) => [name.replace(/\.\d+(?=$|\/)/, ""), count]),
  );
}
