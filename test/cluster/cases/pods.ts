import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { bridgeAddress } from "../weave-addon.ts";

const hostPort = 8088;

/** What pods see of the network. */
export function describePods(cluster: () => ClusterLab): void {
  describe("pods of two nodes", () => {
    let pods: TestPods;
    let addresses: string[];
    let service: string;
    beforeAll(async () => {
      const [one, two] = cluster().nodes;
      pods = await TestPods.in(cluster(), "pods");
      addresses = await pods.run([
        { name: "here", node: one! },
        { name: "there", node: two!, hostPort },
      ]);
      service = await pods.service("there", "there");
    });
    afterAll(() => pods?.end());

    test("reach each other by their addresses", async () => {
      const [here, there] = addresses as [string, string];
      expect((await pods.exec("here", ["ping", "-c", "2", "-W", "2", there])).code).toBe(0);
      expect((await pods.exec("there", ["ping", "-c", "2", "-W", "2", here])).code).toBe(0);
    });

    test("reach a service by its address, from its own pod too", async () => {
      for (const name of ["here", "there"]) {
        const asks = ["timeout", "5", "wget", "-qO-", `http://${service}/hostname`];
        const { stdout } = await eventually(
          `the service from ${name}`,
          () => pods.exec(name, asks),
          ({ code }) => code === 0,
        );
        expect(stdout).toBe("there");
      }
    });

    test("see where a client from outside is where their service wants to know it", async () => {
      const [one, two] = cluster().nodes as [ClusterNode, ClusterNode];
      const outside = [one, cluster().plane];
      const bridge = await bridgeAddress(two);
      for (const policy of ["Cluster", "Local"]) {
        const name = `open-${policy.toLowerCase()}`;
        await pods.service(name, "there", { type: "NodePort", externalTrafficPolicy: policy });
        const url = `http://${two.ip}:${await pods.nodePort(name)}/clientip`;
        for (const client of outside) {
          const asks = ["timeout", "5", "busybox", "wget", "-qO-", url];
          const { stdout } = await eventually(
            `an answer by ${name} for ${client.ip}`,
            () => client.exec(asks),
            ({ code }) => code === 0,
          );
          expect(stdout).toStartWith(`${policy === "Local" ? client.ip : bridge}:`);
        }
      }
    });

    test("are served at a port of their node, on it and from the other", async () => {
      const [one, two] = cluster().nodes;
      for (const [node, host] of [
        [one, two!.ip],
        [two, two!.ip],
        [two, "127.0.0.1"],
      ] as const) {
        const asks = [
          "timeout",
          "5",
          "busybox",
          "wget",
          "-qO-",
          `http://${host}:${hostPort}/hostname`,
        ];
        const { stdout } = await eventually(
          `port ${hostPort} of ${host} from ${node!.name}`,
          () => node!.exec(asks),
          ({ code }) => code === 0,
        );
        expect(stdout).toBe("there");
      }
    });
  });
}
