import { describe, expect, test } from "bun:test";
import { eventually, must } from "../../hosts/shell.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { addon, connected, weaveOn } from "../weave-addon.ts";

const peersKey = "kube-peers.weave.works/peers";
const state = "/var/lib/weave";

/** Nodes that come and go; the first stays. */
export function describeNodes(cluster: () => ClusterLab): void {
  describe("nodes that are deleted", () => {
    const nodes = () => cluster().nodes as [ClusterNode, ClusterNode, ClusterNode];

    test("two at once leave their addresses to who stays, and no entry in the list of peers", async () => {
      const [one, two, three] = nodes();
      const names = [one, two, three].map(({ name }) => name);
      expect(Object.keys(await listedPeers(cluster())).sort()).toEqual(names);
      await removeNodes(cluster(), two, three);
      await takenOver(cluster(), one);
      expect(await ownersOfRanges(cluster(), one)).toEqual(["node1"]);
    });

    test("are taken in again when they are made anew", async () => {
      const [, two, three] = nodes();
      await Promise.all([cluster().renew(two), cluster().renew(three)]);
      await serve(cluster(), "anew");
    });

    test("are taken in again with what they remembered, and give out nobody else's addresses", async () => {
      const [one, two, three] = nodes();
      const saved = `${cluster().folder}/state.tar`;
      await must(["tar", "-C", two.outside(state), "-cf", saved, "."]);
      await removeNodes(cluster(), two);
      await takenOver(cluster(), one, three);
      await cluster().renew(two, async (fresh) => {
        await fresh.mustExec(["mkdir", "-p", state]);
        await must(["tar", "-C", fresh.outside(state), "-xf", saved]);
      });
      await serve(cluster(), "again");
    });

    test("leave all to the next when one goes while it takes over from another", async () => {
      const [one, two, three] = nodes();
      const { node2, node3 } = await listedPeers(cluster());
      // As it is when a machine ends between its lock and what it does with it.
      await Promise.all([two, three].map((node) => node.end()));
      await cluster().plane.mustKubectl([
        ...["annotate", "configmap", "-n", addon.namespace, addon.name],
        `kube-peers.weave.works/${node3!.replaceAll(":", "_")}=${node2}`,
      ]);
      await removeNodes(cluster(), three);
      await removeNodes(cluster(), two);
      await takenOver(cluster(), one);
      expect(await ownersOfRanges(cluster(), one)).toEqual(["node1"]);
    });
  });
}

async function removeNodes({ plane }: ClusterLab, ...gone: ClusterNode[]): Promise<void> {
  await Promise.all(gone.map((node) => node.end()));
  await plane.mustKubectl(["delete", "node", ...gone.map(({ name }) => name)]);
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

/** Waits until these alone are listed and nothing is locked, and no address is out of reach. */
async function takenOver(cluster: ClusterLab, ...stay: ClusterNode[]): Promise<void> {
  const names = stay.map(({ name }) => name);
  await eventually(
    `a list of ${names.join(", ")}`,
    () => listedPeers(cluster),
    (peers) => Object.keys(peers).sort().join() === names.join(),
    60_000,
  );
  for (const node of stay) {
    await eventually(
      `addresses that are all in reach of ${node.name}`,
      () => weaveOn(cluster, node, ["status", "ipam"]),
      ({ code, stdout }) => code === 0 && !stdout.includes("unreachable"),
      60_000,
    );
  }
}

/** Whose the ranges are, as a node knows it. */
async function ownersOfRanges(cluster: ClusterLab, node: ClusterNode): Promise<string[]> {
  const { stdout } = await weaveOn(cluster, node, ["report", "-f", "{{json .IPAM.Entries}}"]);
  const entries: { Nickname: string }[] = JSON.parse(stdout);
  return [...new Set(entries.map(({ Nickname }) => Nickname))].sort();
}

/** Waits until pods of all nodes reach each other, with addresses of their own. */
async function serve(cluster: ClusterLab, name: string): Promise<void> {
  const { nodes } = cluster;
  await cluster.ready();
  for (const node of nodes) await connected(cluster, node, nodes.length - 1);
  const pods = await TestPods.in(cluster, name);
  const addresses = await pods.run(
    nodes.flatMap((node, at) => [
      { name: `a${at}`, node },
      { name: `b${at}`, node },
    ]),
  );
  expect(new Set(addresses).size).toBe(addresses.length);
  // From each to a pod of the next.
  for (const at of nodes.keys()) {
    const next = (at + 1) % nodes.length;
    await pods.eventuallyConnects(`a${at}`, addresses[2 * next + 1]!, true);
  }
  await pods.end();
}
