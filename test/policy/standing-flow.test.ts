import { describe, expect, test } from "bun:test";
import { type HostIp, parseCidr, parseIpv4 } from "../../lib/base/ip.ts";
import {
  type FilterPlace,
  type Opening,
  type OpeningVerdict,
  openingVerdict,
} from "../../lib/policy/opening-verdict.ts";
import {
  formatPortElement,
  heldKey,
  type PortElement,
  type Rule,
  type RuleSet,
} from "../../lib/policy/rule-set.ts";
import { fateOf, type StandingFlow } from "../../lib/policy/standing-flow.ts";

const [web, db, guest, host] = ["10.32.0.1", "10.32.0.2", "10.32.0.3", "10.32.0.4"].map(
  parseIpv4,
) as [number, number, number, number];
const named: PortElement = { address: db, protocol: "TCP", port: 5432 };

const rule = (change: Partial<Rule>): Rule => ({
  ...{ peer: { kind: "any" }, ports: "any", verdict: "allow", origin: "test", ...change },
});
const deny = rule({ verdict: "deny" });

function judging(
  targets: Partial<Record<"ingress" | "egress", HostIp>>,
  ...tiers: Rule[][]
): RuleSet {
  const to = (ip: HostIp | undefined) => new Map(ip === undefined ? [] : [[ip, "chain"]]);
  return {
    sets: new Map([["friends", new Set([web])]]),
    portSets: new Map([["db", new Map([[formatPortElement(named), named]])]]),
    chains: new Map([["chain", { tiers }]]),
    targets: { ingress: to(targets.ingress), egress: to(targets.egress) },
  };
}

function ask(rules: RuleSet, opening: Partial<Opening>, place: Partial<FilterPlace> = {}) {
  const whole = { source: web, destination: db, port: undefined, ...opening };
  return openingVerdict(rules, whole, { judgesGroups: false, isOwn: () => false, ...place });
}

describe("whether rules would let a connection begin", () => {
  test("is asked at both of its ends, where these are judged", () => {
    expect(ask(judging({ ingress: db }, [deny]), {})).toBe("denied");
    expect(ask(judging({ egress: web }, [deny]), {})).toBe("denied");
    expect(ask(judging({ ingress: web, egress: db }, [deny]), {})).toBe("allowed");
    expect(ask(judging({ ingress: guest }, [deny]), {})).toBe("allowed");
  });

  test("goes by who is at the other end", () => {
    const friends = judging({ ingress: db }, [
      rule({ peer: { kind: "set", set: "friends" } }),
      deny,
    ]);
    expect(ask(friends, {})).toBe("allowed");
    expect(ask(friends, { source: guest })).toBe("denied");
    const block = {
      ...({ kind: "block", block: parseCidr("10.32.0.0/24") } as const),
      except: [parseCidr("10.32.0.3/32")],
    };
    const neighbours = judging({ ingress: db }, [rule({ peer: block }), deny]);
    expect(ask(neighbours, {})).toBe("allowed");
    expect(ask(neighbours, { source: guest })).toBe("denied");
    expect(ask(neighbours, { source: parseIpv4("10.33.0.1") })).toBe("denied");
  });

  test("goes by the port, if there is one, its protocol, and what a pod calls it", () => {
    const numbers = { kind: "numbers", protocol: "TCP", first: 80, last: 81 } as const;
    const ports = [numbers, { kind: "set", set: "db" } as const];
    const rules = judging({ ingress: db }, [rule({ ports }), deny]);
    const cases: readonly [Opening["port"], OpeningVerdict][] = [
      [{ protocol: "TCP", port: 81 }, "allowed"],
      [{ protocol: "TCP", port: 5432 }, "allowed"],
      [{ protocol: "TCP", port: 82 }, "denied"],
      [{ protocol: "UDP", port: 80 }, "denied"],
      [undefined, "denied"],
    ];
    for (const [port, verdict] of cases) expect(ask(rules, { port })).toBe(verdict);
  });

  test("is decided by the first tier that has something to say", () => {
    const pass = rule({ verdict: "pass", peer: { kind: "set", set: "friends" } });
    const rules = judging({ ingress: db }, [pass, deny], [rule({})], [deny]);
    expect(ask(rules, {})).toBe("allowed");
    expect(ask(rules, { source: guest })).toBe("denied");
    expect(ask(judging({ ingress: db }, []), {})).toBe("allowed");
  });

  test("is not asked of a pod and itself, or of it and its host", () => {
    const rules = judging({ ingress: db, egress: db }, [deny]);
    const place = { isOwn: (address: HostIp) => address === host };
    expect(ask(rules, { source: db })).toBe("allowed");
    expect(ask(rules, { source: host }, place)).toBe("allowed");
    expect(ask(rules, { source: db, destination: host }, place)).toBe("allowed");
    expect(ask(rules, { source: host })).toBe("denied");
  });

  test("is asked of what is for a group where rules decide about those", () => {
    const rules = judging({ egress: web }, [deny]);
    for (const destination of [parseIpv4("239.1.2.3"), "ff02::1:3"]) {
      expect(ask(rules, { destination })).toBe("allowed");
      expect(ask(rules, { destination }, { judgesGroups: true })).toBe("denied");
    }
    expect(ask(rules, { destination: "fd00::2" })).toBe("denied");
  });

  test("is denied by link-local addresses, which lead round all rules, while there are any", () => {
    const rules = judging({ ingress: guest }, [rule({})]);
    const [near, far] = ["fe80::1", "febf::2"];
    expect(ask(rules, { source: near, destination: far })).toBe("denied");
    expect(ask(rules, { source: "fd00::1", destination: far })).toBe("denied");
    expect(ask(judging({}), { source: near, destination: far })).toBe("allowed");
    expect(ask(rules, { source: near, destination: near })).toBe("allowed");
    expect(ask(rules, { source: near, destination: "ff02::1:3" })).toBe("allowed");
  });

  test("is not known while nobody has told whose an address is", () => {
    const rules: RuleSet = {
      ...judging({ ingress: db }, [deny]),
      targets: { ingress: new Map([[db, "chain"]]), egress: new Map([[web, heldKey]]) },
    };
    expect(ask(rules, {})).toBe("held");
    expect(ask(rules, { source: guest })).toBe("denied");
  });
});

const flow = (change: Partial<StandingFlow>): StandingFlow => ({
  opening: { source: web, destination: db, port: undefined },
  ...{ protocol: 6, isCut: false, isOver: false, isAnnounced: false, ...change },
});

describe("what becomes of a connection", () => {
  const nobody = () => undefined;
  const cases = [
    ["allowed", false, "stay"],
    ["allowed", true, "release"],
    ["denied", false, "cut"],
    ["denied", true, "stay"],
    ["held", false, "stay"],
    ["held", true, "stay"],
  ] as const;
  for (const [verdict, isCut, fate] of cases) {
    test(`that is ${verdict} and ${isCut ? "was" : "was not"} cut: ${fate}`, () => {
      expect(fateOf(flow({ isCut }), () => verdict, nobody)).toBe(fate);
    });
  }

  test("that was seen from its middle on is cut when neither end might have begun it", () => {
    const back: Opening = { source: db, destination: web, port: undefined };
    const cases = [
      [web, "stay"],
      [db, "stay"],
      [guest, "cut"],
    ] as const;
    for (const [allowed, fate] of cases) {
      const verdictOf = ({ source }: Opening) => (source === allowed ? "allowed" : "denied");
      expect(fateOf(flow({ otherWay: back }), verdictOf, nobody)).toBe(fate);
    }
  });

  test("that another one has announced is what that one may, or it may itself", () => {
    const by: Opening = { source: guest, destination: db, port: undefined };
    const only = (allowed: HostIp) => (opening: Opening) =>
      opening.source === allowed ? "allowed" : "denied";
    const announced = flow({ isAnnounced: true });
    expect(fateOf(announced, only(guest), () => by)).toBe("stay");
    expect(fateOf(announced, only(web), () => by)).toBe("stay");
    expect(fateOf(announced, only(host), () => by)).toBe("cut");
    expect(fateOf(announced, only(guest), nobody)).toBe("cut");
    expect(fateOf(flow({}), only(guest), () => by)).toBe("cut");
  });
});
