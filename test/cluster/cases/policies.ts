import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import { namesLabels, namesNamespace } from "../cluster-names.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { addon, bridgeAddress, podOf } from "../weave-addon.ts";
import { connectionsAccepted, hostConnects, whileApplying } from "./policy-probes.ts";

/** Where every node is asked for what its containers say, by the API server. */
const kubeletPort = 10250;

const labelled = (app: string) => ({ podSelector: { matchLabels: { app } } });

/** What policies do; what they may say is shown by `e2e.ts`. */
export function describePolicies(cluster: () => ClusterLab): void {
  describe("policies", () => {
    let pods: TestPods;
    let one: ClusterNode;
    let two: ClusterNode;
    let here: string;
    let there: string;
    let stranger: string;
    let service: string;
    let port: string;
    /** Ways to the same pod: its address, that of its service, and the names of two services. */
    let ways: string[];

    beforeAll(async () => {
      const [first, second, third] = cluster().nodes as [ClusterNode, ClusterNode, ClusterNode];
      [one, two] = [first, second];
      pods = await TestPods.in(cluster(), "policies");
      [here, there, stranger] = (await pods.run([
        { name: "here", node: one },
        { name: "there", node: two },
        { name: "stranger", node: third },
      ])) as [string, string, string];
      service = await pods.service("there", "there", { type: "NodePort" });
      await pods.service("headless", "there", { clusterIP: "None" });
      port = await pods.nodePort("there");
      ways = [there, service, "there.policies", "headless"];
    });
    afterAll(() => pods?.end());

    const policy = (name: string, spec: object): Promise<string> => {
      const meta = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
      return pods.apply([{ ...meta, metadata: { name }, spec }]);
    };
    const remove = (...names: string[]) => pods.kubectl(["delete", "networkpolicy", ...names]);
    const connect = (name: string, addresses: readonly string[], does: boolean) =>
      Promise.all(addresses.map((address) => pods.eventuallyConnects(name, address, does)));

    test("let in who is allowed, by address, by service and by name, and nobody else", async () => {
      for (const name of ["here", "stranger"]) await connect(name, ways, true);
      await policy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
      for (const name of ["here", "stranger"]) await connect(name, ways, false);
      const from = [labelled("here")];
      await policy("allow", { ...labelled("there"), ingress: [{ from, ports: [{ port: 80 }] }] });
      await connect("here", ways, true);
      await connect("stranger", ways, false);
      await pods.eventuallyConnects("there", here, false);
    });

    test("tell what they have kept out, in the log and in metrics", async () => {
      const asks = ["busybox", "wget", "-qO-", "http://127.0.0.1:6781/metrics"];
      await eventually(
        "a metric of what was blocked",
        () => two.exec(asks),
        ({ stdout }) =>
          /^weavenpc_blocked_connections_total\{dport="80",protocol="tcp"\} [1-9]/m.test(stdout),
      );
      const pod = await podOf(cluster(), two);
      const logs = ["logs", "-n", addon.namespace, pod, "-c", "weave"];
      const line = new RegExp(`TCP connection from ${stranger}:\\d+ to ${there}:80 blocked by`);
      expect(await cluster().plane.mustKubectl(logs)).toMatch(line);
    });

    test("leave a pod and its own node to each other, whose probes go on", async () => {
      await policy("closed", { ...labelled("there"), policyTypes: ["Ingress", "Egress"] });
      await pods.eventuallyConnects("there", one.ip, false, kubeletPort);
      await pods.eventuallyConnects("there", two.ip, true, kubeletPort);
      const accepted = () => connectionsAccepted(pods, "there");
      const before = await accepted();
      await eventually("another probe", accepted, (count) => count > before);
      await remove("closed");
    });

    test("are in force soon after they are made, and no longer soon after they are deleted", async () => {
      const times = { pods, from: "stranger", address: there };
      const rule = { ...labelled("there"), ingress: [{ from: [labelled("stranger")] }] };
      const opensMs = await whileApplying({ ...times, until: true }, () => policy("more", rule));
      const closesMs = await whileApplying({ ...times, until: false }, () => remove("more"));
      console.log(
        `a policy lets in after ${opensMs} ms, and deleted it does so for ${closesMs} ms`,
      );
    });

    test("refuse other nodes, at ports of nodes too, until anybody is let in", async () => {
      const waysOfOne = [there, service, `${one.ip}:${port}`, `${two.ip}:${port}`];
      await hostConnects(two, [there], true);
      await hostConnects(one, waysOfOne, false);
      await policy("anybody", { ...labelled("there"), ingress: [{}] });
      await hostConnects(one, waysOfOne, true);
      await remove("anybody");
      await hostConnects(one, waysOfOne, false);
    });

    test("let in a node by the address of its bridge", async () => {
      const from = [{ ipBlock: { cidr: `${await bridgeAddress(one)}/32` } }];
      await policy("node", { ...labelled("there"), ingress: [{ from }] });
      await hostConnects(one, [there, service, `${one.ip}:${port}`], true);
    });

    test("let in a client from outside by its address, at a port of the pod's own node", async () => {
      const { plane } = cluster();
      const from = [{ ipBlock: { cidr: `${plane.ip}/32` } }];
      await policy("outside", { ...labelled("there"), ingress: [{ from }] });
      await hostConnects(plane, [`${two.ip}:${port}`], true);
      // Elsewhere it comes in the name of the node that it asked.
      await hostConnects(plane, [`${one.ip}:${port}`], true);
      await remove("node");
      await hostConnects(plane, [`${one.ip}:${port}`], false);
      await remove("outside");
    });

    test("let in pods of all namespaces, ten more than there were", async () => {
      const namespaces = Array.from({ length: 10 }, (_, at) => `crowd-${at}`);
      const crowd = await TestPods.crowd(cluster(), namespaces, "member");
      const reach = (some: readonly TestPods[], does: boolean) =>
        Promise.all(some.map((each) => each.eventuallyConnects("member", there, does)));
      await reach(crowd.slice(-2), false);
      const from = [{ namespaceSelector: {} }];
      await policy("everywhere", { ...labelled("there"), ingress: [{ from }] });
      await reach(crowd, true);
      await remove("everywhere");
      await reach(crowd.slice(0, 2), false);
      await cluster().plane.mustKubectl(["delete", "namespace", "--wait=false", ...namespaces]);
    });

    test("that select nobody change nothing, and gone they forbid nothing", async () => {
      await policy("nobody", { ...labelled("nobody"), ingress: [{ ports: [{ port: 80 }] }] });
      await pods.eventuallyConnects("stranger", there, false);
      await remove("nobody", "allow", "deny");
      for (const name of ["here", "stranger"]) await pods.eventuallyConnects(name, service, true);
      await pods.eventuallyConnects("there", here, true);
    });

    test("let out to a block of addresses without those excepted, then to pods, names and service", async () => {
      const names = await (await TestPods.in(cluster(), namesNamespace)).addressOf("names");
      const except = [there, names].map((address) => `${address}/32`);
      const out = { ...labelled("here"), policyTypes: ["Egress"] };
      await policy("out", {
        ...out,
        egress: [{ to: [{ ipBlock: { cidr: "10.32.0.0/12", except } }] }],
      });
      await connect("here", ways, false);
      await pods.eventuallyConnects("here", stranger, true);
      const answering = {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namesNamespace } },
        podSelector: { matchLabels: namesLabels },
      };
      await policy("out", { ...out, egress: [{ to: [labelled("there"), answering] }] });
      await connect("here", ways, true);
      await pods.eventuallyConnects("here", stranger, false);
      await remove("out");
    });
  });
}
