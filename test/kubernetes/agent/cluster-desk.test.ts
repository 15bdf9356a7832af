import { describe, expect, test } from "bun:test";
import { ClusterDesk } from "../../../lib/kubernetes/agent/cluster-desk.ts";
import { networkIsUp } from "../../../lib/kubernetes/node-condition.ts";
import { PeerList } from "../../../lib/kubernetes/peer-list.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { VirtualClock } from "../../sim/virtual-clock.ts";
import { FakeCluster, someNode } from "../fake-cluster.ts";
import { MemoryApi } from "../memory-api.ts";
import { settled } from "./settled.ts";

const place = "kube-system/weave-net";
const peer = (number: number): string => `9a:00:00:00:00:0${number}`;

function desk() {
  const clock = new VirtualClock();
  const cluster = new FakeCluster();
  for (const number of [1, 2]) {
    cluster.apply(someNode(`n${number}`, { InternalIP: `198.18.77.${number}` }));
  }
  const api = new MemoryApi(cluster);
  const listed = (): PeerList =>
    new PeerList(cluster.get("configmaps", place)?.metadata.annotations ?? {});
  return { clock, cluster, listed, desk: new ClusterDesk(new SimWorld(clock, 1), api, "n1") };
}

describe("what is asked of a cluster", () => {
  test("is who its peers are, and whether one is in the list", async () => {
    const { cluster, desk: asked } = desk();
    expect(await asked.peers()).toEqual(["198.18.77.2"]);
    expect([await asked.isListed(peer(1)), await asked.listUid()]).toEqual([false, ""]);
    const { annotations } = new PeerList({}).withPeer({ peerName: peer(1), nodeName: "n1" });
    const made = cluster.apply({
      kind: "ConfigMap",
      metadata: { name: "weave-net", namespace: "kube-system", annotations: { ...annotations } },
    });
    expect([await asked.isListed(peer(1)), await asked.isListed(peer(2))]).toEqual([true, false]);
    expect(await asked.listUid()).toBe(made.metadata.uid!);
  });

  test("is to say that a node has a network, and to say nothing more", async () => {
    const { cluster, desk: asked } = desk();
    const types = () =>
      (cluster.get("nodes", "n1")!.status as { conditions: { type: string }[] }).conditions.map(
        ({ type }) => type,
      );
    await asked.setCondition(networkIsUp);
    expect(types()).toEqual(["Ready", "NetworkUnavailable"]);
    await asked.withdrawCondition();
    expect(types()).toEqual(["Ready"]);
  });

  test("is to take over what removed nodes had, once", async () => {
    const { clock, cluster, listed, desk: asked } = desk();
    let annotations = new PeerList({}).withPeer({ peerName: peer(2), nodeName: "n2" });
    annotations = annotations.withPeer({ peerName: peer(3), nodeName: "n3" });
    cluster.apply({
      kind: "ConfigMap",
      metadata: {
        ...{ name: "weave-net", namespace: "kube-system" },
        annotations: { ...annotations.annotations },
      },
    });
    const taken: string[] = [];
    const router = {
      async reclaim(peerName: string) {
        taken.push(peerName);
      },
    };
    let isOver = false;
    const { signal } = new AbortController();
    const over = asked.reclaim(peer(1), router, { signal, goesOn: false }).then(() => {
      isOver = true;
    });
    for (let passed = 0; !isOver && passed < 600; passed++) {
      await settled();
      clock.run(100);
    }
    await over;
    expect(taken).toEqual([peer(3)]);
    expect(listed().peers.map(({ peerName }) => peerName)).toEqual([peer(2), peer(1)]);
    await asked.strike(peer(1));
    expect(listed().peers.map(({ nodeName }) => nodeName)).toEqual(["n2"]);
  });
});
