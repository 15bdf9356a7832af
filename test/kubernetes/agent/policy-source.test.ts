import { describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../../lib/base/ip.ts";
import type { EventSink } from "../../../lib/base/network-event.ts";
import { type PolicyInput, policyKeys } from "../../../lib/daemon/policy/policy-input.ts";
import { ClusterWatches } from "../../../lib/kubernetes/agent/cluster-watches.ts";
import { ClusterPolicySource } from "../../../lib/kubernetes/agent/policy-source.ts";
import type {
  ClusterPolicy,
  Namespace,
  NetworkPolicy,
  Node,
  Pod,
} from "../../../lib/policy/objects.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { clusterPolicyDefinitions, FakeCluster, someNode, somePod } from "../fake-cluster.ts";
import { MemoryApi } from "../memory-api.ts";
import { settled } from "./settled.ts";

/** What is told of a kind, as who enforces policies knows it afterwards. */
class Told<T> implements PolicyInput<T> {
  readonly known = new Map<string, T>();
  readonly #identify: (value: T) => string;
  lists = 0;

  constructor(identify: (value: T) => string) {
    this.#identify = identify;
  }

  replaced(all: readonly T[]): void {
    this.lists++;
    this.known.clear();
    for (const each of all) this.known.set(this.#identify(each), each);
  }

  put(value: T): void {
    if (this.lists === 0) throw new Error("told of one before all");
    this.known.set(this.#identify(value), value);
  }

  removed(key: string): void {
    this.known.delete(key);
  }
}

async function followed(cluster: FakeCluster) {
  const clock = new VirtualClock();
  const world = new SimWorld(clock, 1);
  const api = new MemoryApi(cluster);
  const watches = new ClusterWatches(world, api, { policy: true });
  const events: unknown[] = [];
  const emit: EventSink = (kind, details) => void events.push([kind, details]);
  const source = new ClusterPolicySource({ nodeName: "n1", api, watches, emit });
  const inputs = {
    namespaces: new Told<Namespace>(policyKeys.namespaces),
    pods: new Told<Pod>(policyKeys.pods),
    networkPolicies: new Told<NetworkPolicy>(policyKeys.networkPolicies),
    clusterPolicies: new Told<ClusterPolicy>(policyKeys.clusterPolicies),
    nodes: new Told<Node>(policyKeys.nodes),
  };
  source.start(inputs);
  watches.start();
  await settled();
  clock.run(100);
  await settled();
  const stop = async (): Promise<void> => {
    source.stop();
    await watches.stop();
  };
  return { source, watches, inputs, events, stop };
}

const policy = (name: string, spec: object) => ({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  ...{ metadata: { name, namespace: "shop" }, spec },
});

describe("policies of a cluster", () => {
  test("are told as a whole, kind by kind, and every change afterwards", async () => {
    const cluster = new FakeCluster();
    cluster.apply({ kind: "Namespace", metadata: { name: "shop", labels: { team: "a" } } });
    cluster.apply(someNode("n1", { InternalIP: "10.0.0.1", Hostname: "n1" }));
    cluster.apply(somePod("shop", "web", { ip: "10.32.0.2", labels: { app: "web" } }));
    cluster.apply(policy("closed", { podSelector: {} }));
    const { inputs, source, stop } = await followed(cluster);
    expect(Object.values(inputs).map(({ lists }) => lists)).toEqual([1, 1, 1, 1, 1]);
    expect([...inputs.namespaces.known.values()]).toEqual([
      {
        name: "shop",
        labels: new Map([
          ["team", "a"],
          ["kubernetes.io/metadata.name", "shop"],
        ]),
      },
    ]);
    expect([...inputs.nodes.known.values()]).toMatchObject([
      { name: "n1", addresses: [parseIpv4("10.0.0.1")] },
    ]);
    expect([...inputs.pods.known.values()]).toMatchObject([
      { namespace: "shop", name: "web", addresses: [parseIpv4("10.32.0.2")], isLocal: true },
    ]);
    expect([...inputs.networkPolicies.known.keys()]).toEqual(["shop/closed"]);

    cluster.apply(somePod("shop", "db", { ip: "10.40.0.2", node: "n2" }));
    cluster.delete("networkpolicies", "shop/closed");
    cluster.apply(policy("open", { podSelector: {}, ingress: [{}] }));
    await settled();
    expect([...inputs.pods.known.values()].map(({ name, isLocal }) => [name, isLocal])).toEqual([
      ["web", true],
      ["db", false],
    ]);
    expect([...inputs.networkPolicies.known.keys()]).toEqual(["shop/open"]);
    expect(source.faults()).toEqual([]);
    await stop();
  });

  test("are told as events when they change, and not what was there at the start", async () => {
    const cluster = new FakeCluster();
    const spec = { podSelector: {} };
    cluster.apply(policy("closed", spec));
    const { events, stop } = await followed(cluster);
    expect(events).toEqual([]);
    const open = policy("open", spec);
    cluster.apply(open);
    // Another version of the object, the same policy.
    cluster.apply({ ...open, metadata: { ...open.metadata, annotations: { by: "somebody" } } });
    cluster.apply(policy("open", { ...spec, ingress: [{}] }));
    cluster.delete("networkpolicies", "shop/closed");
    await settled();
    const of = (name: string) => ({
      ...{ kind: "NetworkPolicy", namespace: "shop", name, peer: "", nickname: "" },
    });
    expect(events).toEqual([
      ["policy.applied", { ...of("open"), change: "created" }],
      ["policy.applied", { ...of("open"), change: "changed" }],
      ["policy.deleted", of("closed")],
    ]);
    await stop();
  });

  test("forget a pod when another takes its name, and the addresses of one that has ended", async () => {
    const cluster = new FakeCluster();
    cluster.apply(somePod("shop", "web", { ip: "10.32.0.2" }));
    const { inputs, stop } = await followed(cluster);
    const [first] = inputs.pods.known.keys();
    cluster.delete("pods", "shop/web");
    const again = cluster.apply(somePod("shop", "web", { ip: "10.32.0.2" }));
    await settled();
    expect([...inputs.pods.known.keys()]).toEqual([again.metadata.uid!]);
    expect(again.metadata.uid).not.toBe(first);

    cluster.apply({ ...again, kind: "Pod", status: { phase: "Succeeded", podIP: "10.32.0.2" } });
    await settled();
    expect([...inputs.pods.known.values()]).toMatchObject([{ name: "web", addresses: [] }]);
    await stop();
  });

  test("of all tiers come together, also where a cluster has one kind of them alone", async () => {
    const cluster = new FakeCluster();
    cluster.define(clusterPolicyDefinitions[0]!);
    const { apiVersion } = clusterPolicyDefinitions[0]!;
    const subject = { namespaces: {} };
    const admin = (name: string) => ({
      ...{ apiVersion, kind: "AdminNetworkPolicy", metadata: { name } },
      spec: { priority: 5, subject, ingress: [{ action: "Deny", from: [{ namespaces: {} }] }] },
    });
    cluster.apply(admin("dmz"));
    const { inputs, stop } = await followed(cluster);
    expect([...inputs.clusterPolicies.known.keys()]).toEqual(["admin/dmz"]);
    cluster.apply(admin("more"));
    cluster.delete("adminnetworkpolicies", "dmz");
    await settled();
    expect([...inputs.clusterPolicies.known.keys()]).toEqual(["admin/more"]);
    await stop();
  });

  test("that nobody understands are told of until they are mended or gone", async () => {
    const cluster = new FakeCluster();
    cluster.apply(policy("odd", { podSelector: {}, ingress: [{ from: [{ moonPhase: "full" }] }] }));
    const { source, inputs, stop } = await followed(cluster);
    expect(source.faults()).toEqual([expect.stringContaining("shop/odd: spec.ingress[0]")]);
    expect(inputs.networkPolicies.known.has("shop/odd")).toBe(true);
    cluster.apply(policy("odd", { podSelector: {}, ingress: [{}] }));
    await settled();
    expect(source.faults()).toEqual([]);
    cluster.apply(policy("odd", { podSelector: 7 }));
    await settled();
    expect(source.faults()).toHaveLength(1);
    cluster.delete("networkpolicies", "shop/odd");
    await settled();
    expect(source.faults()).toEqual([]);
    await stop();
  });

  test("are asked for a pod that nobody has told of yet", async () => {
    const cluster = new FakeCluster();
    const { source, stop } = await followed(cluster);
    cluster.apply(somePod("shop", "new", { labels: { app: "new" } }));
    expect(await source.resolvePod("shop", "new")).toMatchObject({
      ...{ name: "new", labels: new Map([["app", "new"]]), addresses: [], isLocal: true },
    });
    expect(await source.resolvePod("shop", "none")).toBeUndefined();
    await stop();
  });
});
