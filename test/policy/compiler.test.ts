import { beforeEach, describe, expect, test } from "bun:test";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { labelsOf, namespaceOf } from "../../lib/policy/labels.ts";
import { FollowedRules } from "./apply-change.ts";
import { isLetThrough } from "./interpret.ts";
import { from, has, ip, ownPods, podAt, podsIn, policyOf } from "./objects.ts";

const server = podAt("shop/server", "10.0.0.1", { app: "server" });
const client = podAt("shop/client", "10.0.0.2", { app: "client" });
const stranger = podAt("other/stranger", "10.0.0.3", { app: "client" });

const clientsOnly = policyOf("shop/clients", {
  podSelector: has("app", "server"),
  ingress: from(ownPods(has("app", "client"))),
});

let compiler: PolicyCompiler;
let rules: FollowedRules;

beforeEach(() => {
  compiler = new PolicyCompiler();
  rules = new FollowedRules();
});

function commit(): void {
  rules.follow(compiler.commit());
}

function reaches(source: string, destination: string): boolean {
  const port = { protocol: "TCP" as const, port: 80 };
  return isLetThrough(rules, { source: ip(source), destination: ip(destination), port });
}

const [serverIp, clientIp, strangerIp] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

describe("a pod", () => {
  test("that nobody has told of yet is let through where no policy is about it, and to nobody isolated", () => {
    compiler.putNetworkPolicy(clientsOnly);
    compiler.putPod(server);
    commit();
    expect(reaches(clientIp, strangerIp)).toBe(true);
    expect(reaches(clientIp, serverIp)).toBe(false);
    compiler.putPod(client);
    commit();
    expect(reaches(clientIp, serverIp)).toBe(true);
  });

  test("that is being made is denied all, whatever its address was before, until it is known", () => {
    compiler.putPod(server);
    compiler.putPod(client);
    compiler.putNetworkPolicy(clientsOnly);
    compiler.hold(ip(clientIp));
    commit();
    expect([reaches(clientIp, serverIp), reaches(serverIp, clientIp)]).toEqual([false, false]);
    expect(reaches(clientIp, clientIp)).toBe(true);
    compiler.release(ip(clientIp));
    compiler.release(ip(clientIp));
    commit();
    expect([reaches(clientIp, serverIp), reaches(serverIp, clientIp)]).toEqual([true, true]);
  });

  test("that is attached here is judged, whoever elsewhere seems to have its address since later", () => {
    compiler.putNetworkPolicy(clientsOnly);
    const elsewhere = podAt("shop/elsewhere", "10.0.0.1", {}, { isLocal: false, sinceMs: 2 });
    for (const pods of [[server, elsewhere] as const, [elsewhere, server] as const]) {
      for (const each of pods)
        compiler.putPod(each === server ? { ...each, isAttached: true } : each);
      commit();
      expect(reaches(strangerIp, serverIp)).toBe(false);
      for (const { id } of pods) compiler.removePod(id);
      commit();
    }
  });

  test("that has the address of one that is not gone yet is under its own policies, and has its own rights", () => {
    compiler.putNetworkPolicy(clientsOnly);
    compiler.putPod(server);
    compiler.putPod({ ...client, sinceMs: 1 });
    const next = podAt("other/next", clientIp, {}, { sinceMs: 2 });
    compiler.putPod(next);
    commit();
    expect(reaches(clientIp, serverIp)).toBe(false);
    // The end of the former one comes late, and once more the news of it.
    compiler.putPod({ ...client, sinceMs: 1, labels: labelsOf({ app: "client", late: "yes" }) });
    commit();
    expect(reaches(clientIp, serverIp)).toBe(false);
    compiler.removePod(client.id);
    commit();
    expect(reaches(clientIp, serverIp)).toBe(false);
    compiler.putNetworkPolicy(policyOf("other/closed", { egress: [] }));
    commit();
    expect(reaches(clientIp, strangerIp)).toBe(false);
  });

  test("that has ended without being removed is in no set any more", () => {
    compiler.putNetworkPolicy(clientsOnly);
    compiler.putPod(server);
    compiler.putPod(client);
    commit();
    compiler.putPod({ ...client, addresses: [] });
    compiler.putPod({ ...server, addresses: [] });
    commit();
    expect(rules).toEqual(new FollowedRules());
  });

  test("of another node is judged there, and known here", () => {
    compiler.putNetworkPolicy(clientsOnly);
    compiler.putNetworkPolicy(policyOf("shop/closed", { egress: [] }));
    compiler.putPod(server);
    compiler.putPod({ ...client, isLocal: false });
    commit();
    expect([...rules.targets.ingress.keys()]).toEqual([ip(serverIp)]);
    expect([...rules.targets.egress.keys()]).toEqual([ip(serverIp)]);
    expect(reaches(clientIp, serverIp)).toBe(true);
    compiler.putPod({ ...server, isLocal: false });
    commit();
    expect(rules).toEqual(new FollowedRules());
  });

  test("of two families is in the sets of both, and judged in both", () => {
    compiler.putNetworkPolicy(clientsOnly);
    compiler.putPod({ ...server, addresses: [ip(serverIp), ip("fd00::1")] });
    compiler.putPod({ ...client, addresses: [ip(clientIp), ip("fd00::2")] });
    commit();
    expect(reaches("fd00::2", "fd00::1")).toBe(true);
    expect(reaches("fd00::3", "fd00::1")).toBe(false);
    expect([...rules.sets.values()].flatMap((set) => [...set])).toEqual([
      ...[ip(clientIp), ip("fd00::2")],
    ]);
  });
});

describe("policies and those that they are about", () => {
  const teamA = policyOf("shop/team", { ingress: from(podsIn(has("team", "a"))) });
  const other = namespaceOf("other", { team: "a" });
  const tellings: Record<string, () => void> = {
    policy: () => compiler.putNetworkPolicy(teamA),
    "its namespace": () => compiler.putNamespace(namespaceOf("shop")),
    "its pod": () => compiler.putPod(server),
    "the other namespace": () => compiler.putNamespace(other),
    "the other pod": () => compiler.putPod(stranger),
  };

  function permutations<Item>(items: readonly Item[]): Item[][] {
    if (items.length === 0) return [[]];
    return items.flatMap((item) =>
      permutations(items.filter((each) => each !== item)).map((rest) => [item, ...rest]),
    );
  }

  test("may be told of in any order, namespaces last or first", () => {
    for (const order of permutations(Object.keys(tellings))) {
      compiler = new PolicyCompiler();
      rules = new FollowedRules();
      for (const [at, name] of order.entries()) {
        tellings[name]!();
        commit();
        // Never does the pod get in before it is known that it is of a team that may.
        const told = order.slice(0, at + 1);
        const isKnown = told.includes("the other namespace") && told.includes("the other pod");
        const isClosed = rules.targets.ingress.has(ip(serverIp));
        if (isClosed) expect(reaches(strangerIp, serverIp)).toBe(isKnown);
      }
      expect(reaches(strangerIp, serverIp)).toBe(true);
      expect(reaches(clientIp, serverIp)).toBe(false);
    }
  });

  test("leave nothing when the namespace goes before its pods and policies", () => {
    for (const tellOf of Object.values(tellings)) tellOf();
    commit();
    const ends = {
      namespaces: () => ["shop", "other"].map((name) => compiler.removeNamespace(name)),
      pods: () => [server, stranger].map(({ id }) => compiler.removePod(id)),
      policy: () => compiler.removeNetworkPolicy("shop", "team"),
    };
    for (const end of [ends.namespaces, ends.pods, ends.policy]) {
      end();
      commit();
    }
    expect(rules).toEqual(new FollowedRules());
    expect(compiler.commit()).toBeUndefined();
  });
});

describe("a policy that changes", () => {
  test("goes from one to the other in one change", () => {
    for (const pod of [server, client, stranger]) compiler.putPod(pod);
    compiler.putNetworkPolicy(clientsOnly);
    commit();
    const before = structuredClone([...rules.targets.ingress]);
    compiler.putNetworkPolicy({ ...clientsOnly, ingress: from(ownPods(has("app", "nobody"))) });
    const change = compiler.commit()!;
    rules.follow(change);
    // The chain is put anew under the same name, so no address is ever without one.
    expect([...rules.targets.ingress]).toEqual(before);
    expect(change.targets.ingress).toEqual({ put: new Map(), remove: [] });
    expect(change.chains.put.size).toBe(1);
    expect(reaches(clientIp, serverIp)).toBe(false);
  });

  test("to say something of egress as well isolates there from then on", () => {
    compiler.putPod(server);
    compiler.putNetworkPolicy(clientsOnly);
    commit();
    expect(reaches(serverIp, strangerIp)).toBe(true);
    compiler.putNetworkPolicy({ ...clientsOnly, egress: [] });
    commit();
    expect(reaches(serverIp, strangerIp)).toBe(false);
    compiler.putNetworkPolicy(clientsOnly);
    commit();
    expect(reaches(serverIp, strangerIp)).toBe(true);
  });

  test("in nothing that a packet filter could see is no change", () => {
    compiler.putPod(server);
    compiler.putNetworkPolicy(clientsOnly);
    commit();
    compiler.putNetworkPolicy(structuredClone(clientsOnly));
    compiler.putPod({ ...server, ports: [{ name: "web", protocol: "TCP", port: 80 }] });
    compiler.putNamespace(namespaceOf("shop"));
    expect(compiler.commit()).toBeUndefined();
  });
});

describe("sets", () => {
  test("of peers that are written alike and mean different things are not one", () => {
    for (const name of ["shop", "other"]) compiler.putNamespace(namespaceOf(name, { team: name }));
    for (const pod of [server, client, stranger]) compiler.putPod(pod);
    const label = has("app", "client");
    const pairs = [
      [podsIn([], label), podsIn(label, [])],
      [podsIn(has("team", "shop")), podsIn(has("team", "shop"), label)],
      [ownPods(label), podsIn([], label)],
    ];
    for (const peers of pairs) {
      for (const [at, peer] of peers.entries()) {
        const podSelector = has("app", "server");
        compiler.putNetworkPolicy(policyOf(`shop/p${at}`, { podSelector, ingress: from(peer) }));
        compiler.removeNetworkPolicy("shop", `p${1 - at}`);
        commit();
        const found = [...rules.sets.values()].map((set) => [...set].sort());
        const known = new PolicyCompiler();
        known.putNamespace(namespaceOf("shop", { team: "shop" }));
        known.putNamespace(namespaceOf("other", { team: "other" }));
        for (const pod of [server, client, stranger]) known.putPod(pod);
        known.putNetworkPolicy(policyOf("shop/p", { podSelector, ingress: from(peer) }));
        known.commit();
        expect(found).toEqual([...known.rules.sets.values()].map((set) => [...set].sort()));
      }
    }
  });

  test("of ports by name have the port that each pod means by it", () => {
    const named = (port: number) => [{ name: "web", protocol: "TCP" as const, port }];
    compiler.putPod({ ...server, ports: named(80) });
    compiler.putPod({ ...stranger, ports: named(8080) });
    const ports = [{ kind: "name", protocol: "TCP", name: "web" }] as const;
    compiler.putNetworkPolicy(policyOf("shop/web", { egress: [{ peers: "any", ports }] }));
    compiler.putPod(client);
    commit();
    expect(reaches(clientIp, serverIp)).toBe(true);
    expect(reaches(clientIp, strangerIp)).toBe(false);
    compiler.putPod({ ...stranger, ports: named(80) });
    commit();
    expect(reaches(clientIp, strangerIp)).toBe(true);
  });

  test("change by one element when a pod comes, and nothing else does", () => {
    for (let at = 0; at < 50; at++) {
      compiler.putPod(podAt(`shop/client-${at}`, `10.0.1.${at}`, { app: "client" }));
      compiler.putPod(podAt(`shop/server-${at}`, `10.0.2.${at}`, { app: "server" }));
    }
    compiler.putNetworkPolicy(clientsOnly);
    commit();
    expect(rules.chains.size).toBe(1);
    compiler.putPod(client);
    const change = compiler.commit()!;
    expect([...change.sets.change.values()]).toEqual([{ add: [ip(clientIp)], remove: [] }]);
    const none = { add: new Map(), change: new Map(), remove: [] };
    expect(change.portSets).toEqual(none);
    expect(change.chains).toEqual({ put: new Map(), remove: [] });
    expect(change.targets.ingress).toEqual({ put: new Map(), remove: [] });
  });
});

describe("chains", () => {
  test("have a rule for each list of ports, however many policies there are", () => {
    compiler.putPod(server);
    for (let at = 0; at < 100; at++) {
      compiler.putNetworkPolicy(
        policyOf(`shop/p${at}`, {
          ingress: [
            {
              peers: [ownPods(has("app", `client-${at}`))],
              ports: [{ kind: "numbers", protocol: "TCP", first: 80 + (at % 3), last: 90 }],
            },
          ],
        }),
      );
    }
    commit();
    const [chain] = [...rules.chains.values()];
    expect(chain!.tiers.map((tier) => tier.map(({ verdict }) => verdict))).toEqual([
      ["allow", "allow", "allow", "deny"],
    ]);
    expect(chain!.tiers[0]!.at(-1)!.origin).toBe("shop/p0 and 99 more");
  });

  test("are none where a cluster policy has no rules for a direction", () => {
    const rule = { name: "", action: "deny" as const, peers: [podsIn([])], ports: "any" as const };
    compiler.putNamespace(namespaceOf("shop"));
    compiler.putPod(server);
    compiler.putClusterPolicy({
      ...{ tier: "admin", name: "in", priority: 0, subject: { namespaces: [], pods: [] } },
      ...{ ingress: [rule], egress: [] },
    });
    commit();
    expect([...rules.targets.ingress.keys()]).toEqual([ip(serverIp)]);
    expect(rules.targets.egress.size).toBe(0);
  });
});
