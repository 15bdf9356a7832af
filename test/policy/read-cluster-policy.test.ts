import { describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { readClusterPolicy } from "../../lib/policy/read-cluster-policy.ts";

const everywhere = { namespaces: [], pods: [] };
const anywhere = ["0.0.0.0/0", "::/0"].map((text) => ({
  ...{ kind: "block" as const, block: parseCidr(text), except: [] },
}));
const denyAll = { action: "deny", peers: anywhere, ports: "any" };

function read(spec: object, tier: "admin" | "baseline" = "admin") {
  const common = { subject: { namespaces: {} } };
  const metadata = { name: "dmz" };
  const priority = tier === "admin" ? { priority: 5 } : {};
  return readClusterPolicy(tier, { metadata, spec: { ...common, ...priority, ...spec } });
}

describe("a cluster policy", () => {
  test("with more pairs of a block and a port than can be asked of a packet filter denies all to its subject", () => {
    const networks = Array.from({ length: 200 }, (_, at) => `10.${at}.0.0/16`);
    const ports = Array.from({ length: 200 }, (_, at) => ({ portNumber: { port: at + 1 } }));
    const { policy, problems } = read({ egress: [{ action: "Allow", to: [{ networks }], ports }] });
    expect(policy).toMatchObject({ priority: 5, subject: everywhere, ingress: [denyAll] });
    expect(problems[0]!.sentence).toStartWith("spec has 40000 pairs of a block and a port");
  });

  test("reads all kinds of peers and ports", () => {
    const { policy, problems } = read({
      subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: "b" } } } },
      egress: [
        {
          ...{ name: "out", action: "Pass" },
          to: [
            { namespaces: { matchLabels: { team: "a" } } },
            { pods: { namespaceSelector: {}, podSelector: {} } },
            { nodes: { matchLabels: { rack: "1" } } },
            { networks: ["10.0.0.0/8", "fd00::/8"] },
          ],
          ports: [
            { portNumber: { protocol: "TCP", port: 80 } },
            { portRange: { protocol: "UDP", start: 5, end: 9 } },
            { namedPort: "http" },
          ],
        },
      ],
    });
    expect(problems).toEqual([]);
    expect(policy).toEqual({
      ...{ tier: "admin", name: "dmz", priority: 5, ingress: [] },
      subject: { namespaces: [], pods: [{ key: "a", operator: "In", values: ["b"] }] },
      egress: [
        {
          ...{ name: "out", action: "pass" },
          peers: [
            {
              ...{ kind: "pods", pods: [] },
              namespaces: [{ key: "team", operator: "In", values: ["a"] }],
            },
            { kind: "pods", namespaces: [], pods: [] },
            { kind: "nodes", nodes: [{ key: "rack", operator: "In", values: ["1"] }] },
            { kind: "block", block: parseCidr("10.0.0.0/8"), except: [] },
            { kind: "block", block: parseCidr("fd00::/8"), except: [] },
          ],
          ports: [
            { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
            { kind: "numbers", protocol: "UDP", first: 5, last: 9 },
            { kind: "name", name: "http" },
          ],
        },
      ],
    });
  });

  const faults: Record<string, object> = {
    "names of domains": { action: "Deny", to: [{ domainNames: ["example.org"] }] },
    "an action that is not known": { action: "Log", to: [{ namespaces: {} }] },
    "no peers": { action: "Pass", to: [] },
    "a port of two kinds": {
      ...{ action: "Deny", to: [{ namespaces: {} }] },
      ports: [{ namedPort: "http", portNumber: { protocol: "TCP", port: 80 } }],
    },
  };
  for (const [name, rule] of Object.entries(faults)) {
    test(`denies all by a rule that has ${name}`, () => {
      const { policy, problems } = read({ egress: [rule] });
      expect(policy.egress).toEqual([{ name: "", ...denyAll }] as never);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems[0]!.where).toStartWith("spec.egress[0]");
    });
  }

  test("allows nothing by a rule with Allow that cannot be read", () => {
    const rule = { name: "in", action: "Allow", from: [{ domainNames: ["example.org"] }] };
    const { policy } = read({ ingress: [rule] });
    expect(policy.ingress).toEqual([{ name: "in", action: "allow", peers: [], ports: "any" }]);
  });

  test("cannot pass on from the last tier, nor reach machines where it is about what comes in", () => {
    const pass = { action: "Pass", from: [{ namespaces: {} }] };
    expect(read({ ingress: [pass] }, "baseline").policy.ingress).toMatchObject([denyAll]);
    const nodes = { action: "Deny", from: [{ nodes: {} }] };
    expect(read({ ingress: [nodes] }).policy.ingress).toMatchObject([denyAll]);
  });

  test("that cannot be read as a whole denies everything to its subject, at its priority or before all others", () => {
    const subject = { namespaces: { matchLabels: { team: "a" } } };
    for (const spec of [{ priority: 1001 }, { tier: "top" }, { ingress: {} }]) {
      const { policy } = read({ subject, ...spec });
      const priority = "priority" in spec ? 0 : 5;
      expect(policy).toMatchObject({ priority, ingress: [denyAll], egress: [denyAll] });
      expect(policy.subject.namespaces).toHaveLength(1);
    }
  });

  test("whose subject cannot be read denies everything to all pods", () => {
    const { policy, problems } = read({ subject: { services: {} } });
    expect(policy).toMatchObject({ subject: everywhere, ingress: [denyAll], egress: [denyAll] });
    expect(problems.at(-1)!.sentence).toContain("AdminNetworkPolicy dmz denies everything");
  });
});
