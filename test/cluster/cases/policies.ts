import { afterAll, beforeAll, describe, test } from "bun:test";
import { eventually } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { bridgeAddress } from "../weave-addon.ts";

const labelled = (app: string) => ({ podSelector: { matchLabels: { app } } });

/** What policies do; what they may say is shown by `e2e.ts`. */
export function describePolicies(cluster: () => ClusterLab): void {
  describe("policies", () => {
    let pods: TestPods;
    let here: string;
    let there: string;
    let service: string;

    beforeAll(async () => {
      const [one, two] = cluster().nodes as [ClusterNode, ClusterNode];
      pods = await TestPods.in(cluster(), "policies");
      [here, there] = (await pods.run([
        { name: "here", node: one },
        { name: "there", node: two },
        { name: "stranger", node: one },
      ])) as [string, string];
      service = await pods.service("there", "there");
      await pods.eventuallyConnects("stranger", there, true);
    });
    afterAll(() => pods?.end());

    const policy = (name: string, spec: object): Promise<string> => {
      const meta = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
      return pods.apply([{ ...meta, metadata: { name }, spec }]);
    };
    const remove = (...names: string[]) => pods.kubectl(["delete", "networkpolicy", ...names]);

    test("let in who is allowed, by address and by service, and nobody else", async () => {
      await policy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
      for (const address of [there, service]) {
        await pods.eventuallyConnects("here", address, false);
        await pods.eventuallyConnects("stranger", address, false);
      }
      const from = [labelled("here")];
      await policy("allow", { ...labelled("there"), ingress: [{ from, ports: [{ port: 80 }] }] });
      for (const address of [there, service]) {
        await pods.eventuallyConnects("here", address, true);
        await pods.eventuallyConnects("stranger", address, false);
      }
      await pods.eventuallyConnects("there", here, false);
    });

    test("refuse other nodes until they are let in by the addresses of their bridges", async () => {
      const [one, two] = cluster().nodes as [ClusterNode, ClusterNode];
      await hostConnects(two, there, true);
      await hostConnects(one, there, false);
      await hostConnects(one, service, false);
      const from = [{ ipBlock: { cidr: `${await bridgeAddress(one)}/32` } }];
      await policy("node", { ...labelled("there"), ingress: [{ from }] });
      await hostConnects(one, there, true);
      await hostConnects(one, service, true);
    });

    test("that select nobody change nothing, and gone they forbid nothing", async () => {
      await policy("nobody", { ...labelled("nobody"), ingress: [{ ports: [{ port: 80 }] }] });
      await pods.eventuallyConnects("stranger", there, false);
      await remove("nobody", "node", "allow", "deny");
      for (const name of ["here", "stranger"]) await pods.eventuallyConnects(name, service, true);
      await pods.eventuallyConnects("there", here, true);
    });

    test("let out to a block of addresses without the one that is excepted, and to pods", async () => {
      const block = { ipBlock: { cidr: "10.32.0.0/12", except: [`${there}/32`] } };
      const out = { ...labelled("here"), policyTypes: ["Egress"] };
      await policy("out", { ...out, egress: [{ to: [block] }] });
      await pods.eventuallyConnects("here", there, false);
      await pods.eventuallyConnects("here", service, false);
      await pods.eventuallyConnects("here", await pods.addressOf("stranger"), true);
      await policy("out", { ...out, egress: [{ to: [labelled("there")] }] });
      await pods.eventuallyConnects("here", there, true);
      await pods.eventuallyConnects("here", service, true);
      await pods.eventuallyConnects("here", await pods.addressOf("stranger"), false);
      await remove("out");
    });
  });
}

async function hostConnects(node: ClusterNode, address: string, does: boolean): Promise<void> {
  await eventually(
    `connections from ${node.name} to ${address} that are ${does ? "made" : "refused"}`,
    () => node.exec(["timeout", "2", "busybox", "wget", "-qO-", `http://${address}/hostname`]),
    ({ code }) => (code === 0) === does,
    30_000,
  );
}
