import { describe, expect, test } from "bun:test";
import { eventually } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import { addon, bridgeAddress, connected, podOf } from "../weave-addon.ts";

/** What a cluster sees of the addon. */
export function describeAddon(cluster: () => ClusterLab): void {
  describe("every node", () => {
    test("is said to have a network", async () => {
      const { plane, nodes } = cluster();
      const wanted = '{.status.conditions[?(@.type=="NetworkUnavailable")]';
      for (const { name } of nodes) {
        const said = await eventually(
          `the condition of ${name}`,
          () => plane.mustKubectl(["get", "node", name, "-o", `jsonpath=${wanted}}`]),
          (text) => text !== "",
        );
        expect(JSON.parse(said)).toMatchObject({ status: "False", reason: "WeaveIsUp" });
      }
    });

    test("is connected to all others", async () => {
      const { nodes } = cluster();
      for (const node of nodes) await connected(cluster(), node, nodes.length - 1);
    });

    test("reaches the others by the addresses of their bridges", async () => {
      for (const node of cluster().nodes) {
        for (const other of cluster().nodes) {
          const address = await bridgeAddress(other);
          await eventually(
            `ping from ${node.name} to the bridge of ${other.name}`,
            () => node.exec(["ping", "-c", "1", "-W", "1", address]),
            ({ code }) => code === 0,
          );
        }
      }
    });

    test("runs it without processes that nobody buries", async () => {
      const { plane, nodes } = cluster();
      for (const node of nodes) {
        const pod = await podOf(cluster(), node);
        const states = "cat /proc/[0-9]*/stat";
        expect(await node.mustExec(["sh", "-c", states])).not.toMatch(/\) Z /);
        const logs = ["logs", "-n", addon.namespace, pod, "-c", "weave"];
        const said = await plane.mustKubectl(logs);
        expect(said).not.toMatch(/forbidden|ERRO/);
      }
    });
  });
}
