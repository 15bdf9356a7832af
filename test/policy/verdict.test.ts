import { describe, expect, test } from "bun:test";
import { parseCidr } from "../../lib/base/ip.ts";
import { type Cluster, partyAt } from "../../lib/policy/cluster.ts";
import { namespaceOf } from "../../lib/policy/labels.ts";
import type { PortAt } from "../../lib/policy/match.ts";
import type { ClusterPolicy, Peer, PortRange } from "../../lib/policy/objects.ts";
import { formatPolicyName } from "../../lib/policy/policy-name.ts";
import { type Decision, evaluate } from "../../lib/policy/verdict.ts";
import { from, has, ip, ownPods, podAt, podsIn, policyOf } from "./objects.ts";

const web: PortRange = { kind: "name", protocol: "TCP", name: "web" };

const cluster: Cluster = {
  namespaces: [namespaceOf("shop", { team: "a" }), namespaceOf("office", { team: "b" })],
  pods: [
    podAt(
      "shop/server",
      "10.0.0.1",
      { app: "server" },
      {
        ...{ node: "north", ports: [{ name: "web", protocol: "TCP", port: 8080 }] },
      },
    ),
    podAt("shop/client", "10.0.0.2", { app: "client" }),
    podAt("office/printer", "10.0.0.3", {}, { addresses: [ip("10.0.0.3"), ip("fd00::3")] }),
  ],
  nodes: [{ name: "north", labels: new Map(), addresses: [ip("192.168.0.1")] }],
  networkPolicies: [],
  clusterPolicies: [],
};

const deny = policyOf("shop/deny", { ingress: [] });
const allow = policyOf("shop/allow", {
  podSelector: has("app", "server"),
  ingress: [...from(ownPods(has("app", "nobody"))), { peers: "any", ports: [web] }],
});

function ask(change: Partial<Cluster>, source: string, destination: string, port?: PortAt) {
  const known = { ...cluster, ...change };
  const [from, to] = [source, destination].map((text) => partyAt(known, ip(text)));
  return evaluate(known, { source: from!, destination: to!, port });
}

/** `allowed: NetworkPolicy shop/allow spec.ingress[1]` */
function told(decision: Decision): string {
  const word = decision.allowed ? "allowed" : "denied";
  const passed =
    decision.passedBy === undefined ? "" : `, passed by ${decision.passedBy.policy.name}`;
  const why =
    decision.because === "rule"
      ? `${formatPolicyName(decision.rule.policy)} ${decision.rule.where}`
      : decision.because === "isolated"
        ? `isolated by ${decision.by.map(formatPolicyName).join(", ")}`
        : decision.because;
  return `${word}: ${why}${passed}`;
}

const at = (port: number): PortAt => ({ protocol: "TCP", port });
const [server, client, printer] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

describe("a verdict", () => {
  test("names the rule that lets a connection in, and the policies that do not", () => {
    const networkPolicies = [deny, allow];
    const { egress, ingress } = ask({ networkPolicies }, client, server, at(8080));
    expect(told(egress)).toBe("allowed: unselected");
    expect(told(ingress)).toBe("allowed: shop/allow spec.ingress[1]");
    const other = ask({ networkPolicies }, client, server, at(80));
    expect(other.allowed).toBe(false);
    expect(told(other.ingress)).toBe("denied: isolated by shop/deny, shop/allow");
  });

  test("says of both ends what they say, though one suffices to deny", () => {
    const networkPolicies = [deny, policyOf("office/closed", { egress: [] })];
    const { allowed, egress, ingress } = ask({ networkPolicies }, printer, server, at(80));
    expect(allowed).toBe(false);
    expect(told(egress)).toBe("denied: isolated by office/closed");
    expect(told(ingress)).toBe("denied: isolated by shop/deny");
  });

  test("is open outside of pods, between a pod and itself, and between a pod and its machine", () => {
    const networkPolicies = [policyOf("shop/all", { ingress: [], egress: [] })];
    const reasons = (source: string, destination: string) => {
      const { egress, ingress } = ask({ networkPolicies }, source, destination);
      return [egress, ingress].map(({ because }) => because);
    };
    expect(reasons("8.8.8.8", "9.9.9.9")).toEqual(["no-pod", "no-pod"]);
    expect(reasons("8.8.8.8", server)).toEqual(["no-pod", "isolated"]);
    expect(reasons(server, server)).toEqual(["itself", "itself"]);
    expect(reasons("192.168.0.1", server)).toEqual(["no-pod", "own-node"]);
    expect(reasons(server, "192.168.0.1")).toEqual(["own-node", "no-pod"]);
    // The other pod runs elsewhere, so that machine is one like any other to it.
    expect(reasons("192.168.0.1", client)).toEqual(["no-pod", "isolated"]);
  });

  test("on what has no ports looks for rules about all of them", () => {
    const networkPolicies = [allow];
    expect(ask({ networkPolicies }, printer, server).allowed).toBe(false);
    const all = policyOf("shop/all", { ingress: from(podsIn(has("team", "b"))) });
    expect(ask({ networkPolicies: [allow, all] }, printer, server).allowed).toBe(true);
  });

  test("is the same in both families, of blocks in their own", () => {
    const block: Peer = { kind: "block", block: parseCidr("fd00::/64"), except: [] };
    const networkPolicies = [policyOf("office/in", { ingress: from(block) })];
    expect(ask({ networkPolicies }, "fd00::9", "fd00::3").allowed).toBe(true);
    expect(ask({ networkPolicies }, "10.0.0.9", printer).allowed).toBe(false);
  });
});

describe("cluster policies", () => {
  function clusterPolicy(name: string, priority: number, action: "allow" | "deny" | "pass") {
    const subject = { namespaces: has("team", "a"), pods: [] };
    const rule = { name: "", action, peers: [podsIn([])], ports: "any" as const };
    const tier = name === "default" ? "baseline" : "admin";
    return { tier, name, priority, subject, ingress: [rule], egress: [] } satisfies ClusterPolicy;
  }

  const ingressOf = (networkPolicies: Cluster["networkPolicies"], ...all: ClusterPolicy[]) =>
    told(ask({ networkPolicies, clusterPolicies: all }, printer, server, at(80)).ingress);

  test("come before network policies, the lowest priority first, and of one priority by name", () => {
    const first = clusterPolicy("b", 1, "allow");
    expect(ingressOf([deny], clusterPolicy("a", 2, "deny"), first)).toBe(
      "allowed: AdminNetworkPolicy b spec.ingress[0]",
    );
    expect(ingressOf([], first, clusterPolicy("a", 1, "deny"))).toBe(
      "denied: AdminNetworkPolicy a spec.ingress[0]",
    );
  });

  test("pass on to network policies, and to the last tier where none selects the pod", () => {
    const pass = clusterPolicy("leave", 1, "pass");
    const rest = [pass, clusterPolicy("z", 2, "allow"), clusterPolicy("default", 0, "deny")];
    expect(ingressOf([deny], ...rest)).toBe("denied: isolated by shop/deny, passed by leave");
    expect(ingressOf([], ...rest)).toBe(
      "denied: BaselineAdminNetworkPolicy default spec.ingress[0], passed by leave",
    );
  });

  test("of the last tier say nothing where a network policy isolates", () => {
    expect(ingressOf([deny], clusterPolicy("default", 0, "allow"))).toBe(
      "denied: isolated by shop/deny",
    );
  });

  test("find machines by their labels", () => {
    const nodes: Peer = { kind: "nodes", nodes: [] };
    const rule = { name: "", action: "deny" as const, peers: [nodes], ports: "any" as const };
    const policy = { ...clusterPolicy("out", 1, "deny"), ingress: [], egress: [rule] };
    const known = { clusterPolicies: [policy] };
    expect(ask(known, client, "192.168.0.1").allowed).toBe(false);
    expect(ask(known, client, "192.168.0.2").allowed).toBe(true);
  });
});
