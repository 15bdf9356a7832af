import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { somePod } from "../kubernetes/fake-cluster.ts";
import { KubeNode, LabApiServer } from "./kube-node.ts";
import { Container, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

describe("two nodes of Kubernetes", () => {
  let lab: Lab;
  let api: LabApiServer;
  let one: KubeNode;
  let two: KubeNode;
  let podOfOne: Container;
  let podOfTwo: Container;
  const addresses: string[] = [];

  beforeAll(async () => {
    lab = await Lab.onSwitch("ka", 2);
    api = await LabApiServer.start(lab);
    [one, two] = lab.hosts.map((host) => new KubeNode(host, api)) as [KubeNode, KubeNode];
    api.server.cluster.apply({ kind: "Namespace", metadata: { name: "default" } });
    for (const node of [one, two]) {
      node.register();
      node.start();
    }
    await Promise.all([one.ready(), two.ready()]);
    podOfOne = new Container(await lab.namespace("p1"));
    podOfTwo = new Container(await lab.namespace("p2"));
  });

  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await api[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  /** As the kubelet does before it asks for an interface. */
  async function run(node: KubeNode, pod: Container, name: string): Promise<void> {
    const object = somePod("default", name, { node: node.name, labels: { app: name } });
    api.server.cluster.apply(object);
    const ip = await node.addPod(pod.namespace, name);
    addresses.push(ip);
    const status = { phase: "Running", podIP: ip, podIPs: [{ ip }] };
    api.server.cluster.apply({ ...object, status });
  }

  test("are ready when they are peers, in the list, and have told all that there is a network", async () => {
    await Promise.all([one.host.established(1), two.host.established(1)]);
    expect(api.peers).toEqual({ [await one.peerName]: "n1", [await two.peerName]: "n2" });
    for (const node of [one, two]) {
      expect(node.condition()).toMatchObject({ status: "False", reason: "WeaveIsUp" });
      expect(node.network.plugins[0]).toMatchObject({ type: "weave-net", hairpinMode: true });
    }
    const { body } = await one.get("/status");
    expect(body).toContain("Service: kubernetes\n           Node: n1\n         Status: ready\n");
  });

  test("carry their pods, and keep them apart as policies say", async () => {
    await run(one, podOfOne, "web");
    await run(two, podOfTwo, "db");
    await podOfOne.pings(addresses[1]!);
    api.server.cluster.apply({
      ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
      metadata: { name: "closed", namespace: "default" },
      spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"] },
    });
    await eventually(
      "db to be closed",
      () => podOfOne.exec(["ping", "-c", "1", "-W", "1", addresses[1]!]),
      ({ code }) => code !== 0,
    );
    api.server.cluster.delete("networkpolicies", "default/closed");
    await podOfOne.pings(addresses[1]!);
    const metrics = await one.host.exec(["curl", "-s", "http://127.0.0.1:6781/metrics"]);
    expect(metrics.stdout).toContain("weavenpc_policy_enforcement_errors 0");
  });

  test("answer scripts of Weave Net 2.x, who ask by exit codes", async () => {
    const ask = (args: readonly string[]) =>
      one.host.weave(["kube-utils", ...args], { env: one.env });
    expect((await ask(["peers"])).stdout).toBe("192.168.77.2\n");
    const name = await two.peerName;
    expect((await ask(["check-peer", "--peer-name", name])).code).toBe(9);
    expect((await ask(["check-peer", "--peer-name", "9a:00:00:00:00:99"])).code).toBe(0);
  });

  test("come up with the peers they knew while no API server answers", async () => {
    api.server.goAway();
    await one.stop();
    one.start();
    await one.host.established(1, 30_000);
    await podOfOne.pings(addresses[1]!);
    const { status } = await eventually(
      "what n1 is not ready for",
      () => one.get("/readyz"),
      ({ body }) => body.includes("the cluster does not list"),
    );
    expect(status).toBe(503);
    api.comeBack();
    await Promise.all([one.ready(), two.ready()]);
  });

  test("take over what a removed one had, who begins anew when it is back", async () => {
    const before = await two.peerName;
    await two.stop();
    api.server.cluster.delete("nodes", "n2");
    await eventually(
      "all addresses to be of n1",
      () => one.get("/status/ipam"),
      ({ body }) => body.includes("(100.0% of total)"),
      30_000,
    );
    await eventually(
      "the list to have n1 alone",
      async () => ({ status: (await one.get("/status")).status, peers: api.peers }),
      ({ peers }) => Object.values(peers).join() === "n1",
    );
    const { annotations = {} } = api.server.cluster.get(
      "configmaps",
      "kube-system/weave-net",
    )!.metadata;
    expect(Object.keys(annotations)).toEqual(["kube-peers.weave.works/peers"]);

    two.register();
    two.start();
    await two.ready();
    expect(existsSync(join(two.host.env.WEAVE_STATE_DIR!, "weave.db.reclaimed"))).toBe(true);
    expect(api.peers).toEqual({ [await one.peerName]: "n1", [before]: "n2" });
    await two.host.established(1);
    const fresh = new Container(await lab.namespace("p3"));
    await run(two, fresh, "new");
    expect(new Set(addresses).size).toBe(3);
    await fresh.pings(addresses[0]!);
  });

  test("are left without a trace by what an uninstall runs", async () => {
    const name = await two.peerName;
    await two.stop();
    const { code, stderr } = await two.host.weave(["kube", "uninstall"], { env: two.env });
    expect([code, stderr]).toEqual([0, ""]);
    expect(readdirSync(join(two.root, "etc/cni/net.d"))).toEqual([]);
    expect(readdirSync(join(two.root, "opt/cni/bin"))).toEqual([]);
    const left = readdirSync(two.host.env.WEAVE_STATE_DIR!).filter(
      (each) => !/reclaimed/.test(each),
    );
    expect(left).toEqual([]);
    const links = JSON.parse((await two.host.exec(["ip", "-j", "link"])).stdout);
    expect(links.map(({ ifname }: { ifname: string }) => ifname).sort()).toEqual(["eth0", "lo"]);
    expect((await two.host.exec(["nft", "list", "tables"])).stdout).toBe("");
    expect(two.condition()).toBeUndefined();
    expect(Object.keys(api.peers)).not.toContain(name);
  });

  test("that have never run wait for an API server, and end meanwhile when they are told to", async () => {
    api.server.goAway();
    two.start();
    await two.said(/cannot ask for the nodes of the cluster/);
    expect(await two.stop()).toBe(0);
    api.comeBack();
  });

  test("are ready without network policies as well, and leave the packet filter alone then", async () => {
    two.start({ EXPECT_NPC: "0" });
    await two.ready();
    expect((await two.get("/status")).body).toContain("NetworkPolicy: not enforced");
    expect((await two.host.exec(["nft", "list", "tables"])).stdout).not.toContain("weave-npc");
    // The other node follows pods, this one does not.
    expect(api.server.watching("pods")).toBeLessThan(2);
    expect(await two.stop()).toBe(0);
  });

  test("do not start with a range that is another network's", async () => {
    const env = { ...two.env, IPALLOC_RANGE: "192.168.0.0/16" };
    const { code, stderr } = await two.host.weave(["kube"], { env });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "overlaps with existing route 192.168.77.0/24 on host\nset IPALLOC_RANGE",
    );
  });
});
