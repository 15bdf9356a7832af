import { describe, expect, test } from "bun:test";
import { eventually, must } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { addon, connected, weaveOn } from "../weave-addon.ts";

const peersKey = "kube-peers.weave.works/peers";
const state = "/var/lib/weave";

/** Nodes that come and go. */
export function describeNodes(cluster: () => ClusterLab): void {
  describe("a node that is deleted", () => {
    const nodes = () => cluster().nodes as [ClusterNode, ClusterNode];

    test("leaves its addresses to the others and no entry in the list of peers", async () => {
      const [one, two] = nodes();
      expect(Object.keys(await listedPeers(cluster())).sort()).toEqual([one.name, two.name]);
      await removeNode(cluster(), two);
      await takenOver(cluster(), one);
    });

    test("is taken in again when it is made anew", async () => {
      const two = await cluster().renew(nodes()[1]);
      await serves(cluster(), two, "anew");
    });

    test("is taken in again with what it remembered, and gives out nobody else's addresses", async () => {
      const [one, two] = nodes();
      const saved = `${cluster().folder}/state.tar`;
      await must(["tar", "-C", two.outside(state), "-cf", saved, "."]);
      await removeNode(cluster(), two);
      await takenOver(cluster(), one);
      const again = await cluster().renew(two, async (fresh) => {
        await fresh.mustExec(["mkdir", "-p", state]);
        await must(["tar", "-C", fresh.outside(state), "-xf", saved]);
      });
      await serves(cluster(), again, "again");
    });
  });
}

async function removeNode({ plane }: ClusterLab, node: ClusterNode): Promise<void> {
  await node.end();
  await plane.mustKubectl(["delete", "node", node.name]);
}

/** Peer names by the names of their nodes. */
async function listedPeers({ plane }: ClusterLab): Promise<Record<string, string>> {
  const map = ["get", "configmap", "-n", addon.namespace, addon.name, "-o", "json"];
  const { annotations } = JSON.parse(await plane.mustKubectl(map)).metadata;
  const others = Object.keys(annotations).filter((key) => key !== peersKey);
  const { Peers } = JSON.parse(annotations[peersKey]);
  const listed = Peers.map((each: { NodeName: string; PeerName: string }) => [
    each.NodeName,
    each.PeerName,
  ]);
  return Object.fromEntries([...listed, ...others.map((key) => [key, "lock"])]);
}

/** Waits until `node` alone is listed and nothing is locked, and no address is out of reach. */
async function takenOver(cluster: ClusterLab, node: ClusterNode): Promise<void> {
  await eventually(
    "a list of one peer",
    () => listedPeers(cluster),
    (peers) => Object.keys(peers).join() === node.name,
    60_000,
  );
  await eventually(
    "addresses that are all in reach",
    () => weaveOn(cluster, node, ["status", "ipam"]),
    ({ code, stdout }) => code === 0 && !stdout.includes("unreachable"),
    60_000,
  );
}

/** Waits until pods of both nodes reach each other, with addresses of their own. */
async function serves(cluster: ClusterLab, node: ClusterNode, name: string): Promise<void> {
  const [one] = cluster.nodes as [ClusterNode];
  await cluster.ready();
  await connected(cluster, node, 1);
  const pods = await TestPods.in(cluster, name);
  const addresses = await pods.run(
    [one, node].flatMap((on, at) => [
      { name: `a${at}`, node: on },
      { name: `b${at}`, node: on },
    ]),
  );
  expect(new Set(addresses).size).toBe(addresses.length);
  await pods.eventuallyConnects("a0", addresses[2]!, true);
  await pods.eventuallyConnects("b1", addresses[0]!, true);
  await pods.end();
}
