import { describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { readNetworkPolicy } from "../../lib/policy/read-network-policy.ts";
import { readPolicies } from "../../lib/policy/read-policies.ts";

function read(spec: unknown, beside: object = {}) {
  const metadata = { name: "web", namespace: "shop" };
  return readNetworkPolicy({ kind: "NetworkPolicy", metadata, spec, ...beside });
}

const webAlone = [{ key: "app", operator: "In" as const, values: ["web"] }];
const podSelector = { matchLabels: { app: "web" } };
const closed = { peers: [], ports: "any" };

describe("a network policy", () => {
  test("isolates from what comes in, and from what goes out if it says of it, where it names no types", () => {
    expect(read({ podSelector: {} }).policy).toEqual({
      ...{ namespace: "shop", name: "web", podSelector: [], ingress: [] },
    });
    expect(read({ podSelector: {}, egress: [] }).policy.egress).toBeUndefined();
    expect(read({ podSelector: {}, policyTypes: [], egress: [{}] }).policy).toMatchObject({
      ...{ ingress: [], egress: [{ peers: "any", ports: "any" }] },
    });
  });

  test("says of directions what its types say, whatever rules it has", () => {
    const { policy } = read({ podSelector: {}, policyTypes: ["Egress"], ingress: [{}] });
    expect(policy.ingress).toBeUndefined();
    expect(policy.egress).toEqual([]);
  });

  test("has the defaults of the API in ports and peers", () => {
    const { policy, problems } = read({
      podSelector: {
        matchLabels: { app: "web" },
        matchExpressions: [{ key: "tier", operator: "Exists" }],
      },
      ingress: [
        {
          from: [
            { podSelector: {} },
            { namespaceSelector: { matchLabels: { team: "a" } } },
            { ipBlock: { cidr: "10.0.0.7/8", except: ["10.1.0.0/16"] } },
          ],
          ports: [
            ...[{ port: 80 }, { protocol: "UDP" }, { port: "http" }],
            { protocol: "SCTP", port: 5, endPort: 7 },
          ],
        },
      ],
    });
    expect(problems).toEqual([]);
    expect(policy.podSelector).toEqual([...webAlone, { key: "tier", operator: "Exists" }]);
    expect(policy.ingress).toEqual([
      {
        peers: [
          { kind: "pods", namespaces: "own", pods: [] },
          {
            kind: "pods",
            namespaces: [{ key: "team", operator: "In", values: ["a"] }],
            pods: [],
          },
          { kind: "block", block: parseCidr("10.0.0.0/8"), except: [parseCidr("10.1.0.0/16")] },
        ],
        ports: [
          { kind: "numbers", protocol: "TCP", first: 80, last: 80 },
          { kind: "numbers", protocol: "UDP", first: 0, last: 65_535 },
          { kind: "name", protocol: "TCP", name: "http" },
          { kind: "numbers", protocol: "SCTP", first: 5, last: 7 },
        ],
      },
    ]);
  });

  test("takes null for what is missing, as servers do", () => {
    const spec = { podSelector: { matchLabels: null }, ingress: [{ from: null, ports: null }] };
    const { policy, problems } = read({ ...spec, egress: null, policyTypes: null });
    expect(problems).toEqual([]);
    expect(policy).toMatchObject({ podSelector: [], ingress: [{ peers: "any", ports: "any" }] });
  });

  test("may ask for labels of any name", () => {
    const names = ["constructor", "prototype", "__proto__", "a.b/c"];
    const labels: unknown = JSON.parse(`{${names.map((name) => `"${name}": "x"`)}}`);
    const { policy } = read({ podSelector: { matchLabels: labels } });
    expect(policy.podSelector.map(({ key }) => key)).toEqual(names);
  });

  test("that has no name is refused with what to do", () => {
    expect(() => readNetworkPolicy({ metadata: {}, spec: {} })).toThrow(/metadata\.name/);
    expect(() => readNetworkPolicy("policy")).toThrow(/cannot be read/);
  });
});

const ruleFaults: readonly { name: string; rule: unknown; where: string; says: string }[] = [
  {
    name: "a range of ports that ends before it begins",
    rule: { ports: [{ port: 80 }, { port: 80, endPort: 79 }] },
    ...{ where: "spec.ingress[0].ports[1].endPort", says: "needs a number in 'port'" },
  },
  {
    name: "a range that begins with a name",
    rule: { ports: [{ port: "http", endPort: 90 }] },
    ...{ where: "spec.ingress[0].ports[0].endPort", says: "needs a number in 'port'" },
  },
  {
    name: "a field of the future in a peer",
    rule: { from: [{ podSelector: {}, serviceSelector: {} }] },
    ...{ where: "spec.ingress[0].from[0].serviceSelector", says: "is a field that is not known" },
  },
  {
    name: "a field of the future in a port",
    rule: { ports: [{ port: 80, application: "http" }] },
    ...{ where: "spec.ingress[0].ports[0].application", says: "is a field that is not known" },
  },
  {
    name: "a field of the future beside peers",
    rule: { from: [], when: "always" },
    ...{ where: "spec.ingress[0].when", says: "is a field that is not known" },
  },
  {
    name: "a peer that says nothing",
    rule: { from: [{}] },
    ...{ where: "spec.ingress[0].from[0]", says: "has none of" },
  },
  {
    name: "a block beside a selector",
    rule: { from: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] },
    ...{ where: "spec.ingress[0].from[0].podSelector", says: "is a field that is not known" },
  },
  {
    name: "a block that is none",
    rule: { from: [{ ipBlock: { cidr: "10.0.0.0/33" } }] },
    ...{ where: "spec.ingress[0].from[0].ipBlock.cidr", says: "is no block of addresses" },
  },
  {
    name: "an exception outside of its block",
    rule: { from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] },
    ...{ where: "spec.ingress[0].from[0].ipBlock.except", says: "not a part of 'cidr'" },
  },
  {
    name: "a protocol that is none",
    rule: { ports: [{ protocol: "ICMP" }] },
    ...{ where: "spec.ingress[0].ports[0].protocol", says: "and is 'ICMP'" },
  },
  {
    name: "a port beyond all",
    rule: { ports: [{ port: 65_536 }] },
    ...{ where: "spec.ingress[0].ports[0].port", says: "is more than 65535" },
  },
  {
    name: "a name that no port can have",
    rule: { ports: [{ port: "80" }] },
    ...{ where: "spec.ingress[0].ports[0].port", says: "is no name of a port" },
  },
  {
    name: "an operator that is not known",
    rule: { from: [{ podSelector: { matchExpressions: [{ key: "a", operator: "Gt" }] } }] },
    where: "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator",
    says: "and is 'Gt'",
  },
  {
    name: "an expression without values",
    rule: {
      from: [{ podSelector: { matchExpressions: [{ key: "a", operator: "In", values: [] }] } }],
    },
    where: "spec.ingress[0].from[0].podSelector.matchExpressions[0].values",
    says: "is empty",
  },
  {
    name: "a label that is no text",
    rule: { from: [{ podSelector: { matchLabels: { "example.org/x": 1 } } }] },
    where: 'spec.ingress[0].from[0].podSelector.matchLabels["example.org/x"]',
    says: "is no text",
  },
];

describe("a rule that has", () => {
  for (const { name, rule, where, says } of ruleFaults) {
    test(`${name} allows nothing, and the others stay`, () => {
      const { policy, problems } = read({ podSelector, ingress: [rule, {}] });
      expect(policy.ingress as unknown).toEqual([closed, { peers: "any", ports: "any" }]);
      expect(policy.podSelector).toEqual(webAlone);
      expect(problems.map((problem) => problem.where)).toEqual([where]);
      expect(problems[0]!.sentence).toStartWith(where);
      expect(problems[0]!.sentence).toContain(says);
      expect(problems[0]!.sentence).toEndWith("the rule allows nothing");
      expect(problems[0]!.remedy).not.toBe("");
    });
  }
});

describe("a policy that has", () => {
  const isolating = { ingress: [], egress: [] };

  for (const [name, spec] of Object.entries({
    "a field of the future": { podSelector, ingress: [{}], isolation: "strict" },
    "a type that is not known": { podSelector, ingress: [{}], policyTypes: ["Forward"] },
    "no list of rules": { podSelector, ingress: { from: [] } },
  })) {
    test(`${name} isolates what it selects, and allows nothing`, () => {
      const { policy, problems } = read(spec);
      expect(policy).toMatchObject({ podSelector: webAlone, ...isolating });
      expect(problems).toHaveLength(1);
      expect(problems[0]!.sentence).toContain("isolates what it selects");
    });
  }

  test("more pairs of a block and a port than can be asked of a packet filter isolates, and allows nothing", () => {
    const blocks = (count: number) =>
      Array.from({ length: count }, (_, at) => ({
        ipBlock: {
          cidr: `10.${at >> 8}.${at & 255}.0/24`,
          except: [`10.${at >> 8}.${at & 255}.9/32`],
        },
      }));
    const ports = (count: number) => Array.from({ length: count }, (_, at) => ({ port: at + 1 }));
    const most = [{ from: blocks(128), ports: ports(128) }];
    expect(read({ podSelector, ingress: most }).problems).toEqual([]);
    const { policy, problems } = read({ podSelector, ingress: most, egress: [{}] });
    expect(policy).toMatchObject({ podSelector: webAlone, ingress: [], egress: [] });
    expect(problems.map(({ sentence }) => sentence)).toEqual([
      "spec has 32769 pairs of a block and a port, and may have 32768; the policy isolates what it selects, and allows nothing",
    ]);
    // All pods together are one set, however many selectors choose them.
    const chosen = Array.from({ length: 300 }, (_, at) => ({
      podSelector: { matchLabels: { a: `${at}` } },
    }));
    expect(read({ podSelector, ingress: [{ from: chosen, ports: ports(300) }] }).problems).toEqual(
      [],
    );
  });

  test("a selector that cannot be read isolates all pods of its namespace", () => {
    const { policy, problems } = read({ podSelector: { matchName: "x" }, ingress: [{}] });
    expect(policy).toMatchObject({ podSelector: [], ...isolating });
    expect(problems[0]!.where).toBe("spec.podSelector.matchName");
    expect(problems[0]!.sentence).toContain("all pods of namespace shop");
  });

  test("no object for its spec, or something beside it, isolates all pods of its namespace", () => {
    expect(read("all").policy).toMatchObject({ podSelector: [], ...isolating });
    expect(read({ podSelector }, { sepc: {} }).policy).toMatchObject({
      ...{ podSelector: [], ...isolating },
    });
  });
});

describe("a document of policies", () => {
  const apiVersion = "networking.k8s.io/v1";
  const item = (name: string) => ({ metadata: { name }, spec: { podSelector: {} } });

  test("is one object, or a list of them, of a kind or of all", () => {
    const one = { kind: "NetworkPolicy", apiVersion, ...item("a") };
    const list = { kind: "List", apiVersion: "v1", items: [one, { ...one, ...item("b") }] };
    const ofKind = { kind: "NetworkPolicyList", apiVersion, items: [item("c"), item("d")] };
    const names = readPolicies(one, list, ofKind).networkPolicies.map(({ name }) => name);
    expect(names).toEqual(["a", "a", "b", "c", "d"]);
    expect(readPolicies(one).networkPolicies[0]!.namespace).toBe("default");
  });

  test("names the policy of each problem", () => {
    const { problems } = readPolicies({
      ...{ kind: "NetworkPolicy", apiVersion, metadata: { name: "a", namespace: "n" } },
      spec: { podSelector: {}, ingress: [{ from: [{}] }] },
    });
    expect(problems.map(({ policy, where }) => `${policy} ${where}`)).toEqual([
      "n/a spec.ingress[0].from[0]",
    ]);
  });

  test("in which something else stands is refused: it may be a policy that was misspelt", () => {
    const misspelt = { kind: "NetworkPolcy", apiVersion, ...item("a") };
    expect(() => readPolicies(misspelt)).toThrow(/NetworkPolcy of networking.k8s.io\/v1/);
    const older = { kind: "NetworkPolicy", apiVersion: "extensions/v1beta1", ...item("a") };
    expect(() => readPolicies(older)).toThrow(/extensions\/v1beta1/);
    for (const document of [null, 7, {}, { kind: "List" }, { kind: "" }]) {
      expect(() => readPolicies(document)).toThrow(/document of policies|has no 'items'/);
    }
  });
});
