import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { namespaceOf } from "../../lib/policy/labels.ts";
import type { ClusterPolicy, PortRange } from "../../lib/policy/objects.ts";
import { from, has, ip, podAt, podsIn, policyOf } from "./objects.ts";

/** Objects and policies that have nothing in common with those of other lives come, and go again. */
function live(compiler: PolicyCompiler, life: number): void {
  const namespace = `namespace-${life}`;
  const address = `10.${(life >> 8) & 255}.${life & 255}.1`;
  const port: PortRange = { kind: "name", protocol: "TCP", name: `port-${life}` };
  const pod = podAt(
    `${namespace}/pod`,
    address,
    { app: `app-${life}` },
    { ports: [{ name: `port-${life}`, protocol: "TCP", port: 80 }] },
  );
  const team = has("team", `team-${life}`);
  const rule = {
    ...{ name: "", action: "deny" as const, ports: [port] },
    peers: [podsIn(team), { kind: "nodes", nodes: has("rack", `${life}`) } as const],
  };
  const admin: ClusterPolicy = {
    ...{ tier: "admin", name: `admin-${life}`, priority: 1 },
    ...{ subject: { namespaces: team, pods: [] }, ingress: [rule], egress: [rule] },
  };
  compiler.putNamespace(namespaceOf(namespace, { team: `team-${life}` }));
  compiler.putPod(pod);
  compiler.putNode({ name: `node-${life}`, labels: new Map(), addresses: [ip(address)] });
  compiler.putNetworkPolicy(
    policyOf(`${namespace}/p`, { ingress: from(podsIn(team)), egress: [] }),
  );
  compiler.putClusterPolicy(admin);
  compiler.hold(ip("10.255.0.1"));
  compiler.commit();
  compiler.release(ip("10.255.0.1"));
  compiler.removeNamespace(namespace);
  compiler.commit();
  compiler.removePod(pod.id);
  compiler.removeNetworkPolicy(namespace, "p");
  compiler.removeClusterPolicy("admin", admin.name);
  compiler.removeNode(`node-${life}`);
  compiler.commit();
}

function collectionsAlive(): number {
  Bun.gc(true);
  const { Map: maps = 0, Set: sets = 0 } = heapStats().objectTypeCounts;
  return maps + sets;
}

test("nothing is kept of pods, policies and namespaces that are gone", () => {
  const compiler = new PolicyCompiler();
  for (let life = 0; life < 100; life++) live(compiler, life);
  const before = collectionsAlive();
  for (let life = 100; life < 2_100; life++) live(compiler, life);
  expect(collectionsAlive() - before).toBeLessThan(200);
  expect(compiler.rules.chains.size).toBe(0);
});
