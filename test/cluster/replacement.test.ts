import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { referenceBinary } from "../interop/reference-router.ts";
import { ClusterLab } from "./cluster-lab.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { LineStream } from "./line-stream.ts";
import { installOriginal } from "./original-addon.ts";
import { TestPods } from "./test-pods.ts";
import { connected, installAddon, rolledOut, weaveOn } from "./weave-addon.ts";

describe("a cluster whose network is the original's", () => {
  if (referenceBinary === undefined) {
    test("gets ours by our manifest: needs a router of the original", () => {
      console.log("no router to replace: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
    });
    return;
  }

  let lab: ClusterLab;
  let pods: TestPods;
  let nodes: [ClusterNode, ClusterNode];
  let addresses: string[];
  beforeAll(async () => {
    lab = await ClusterLab.start("krep");
    nodes = lab.nodes as [ClusterNode, ClusterNode];
    await installOriginal(lab);
    await lab.ready();
    pods = await TestPods.in(lab, "pods");
    addresses = await pods.run([
      { name: "here", node: nodes[0] },
      { name: "there", node: nodes[1] },
    ]);
    await pods.eventuallyConnects("here", addresses[1]!, true);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("gets ours by our manifest, node by node, and its pods keep their connections", async () => {
    const stream = new LineStream(pods, "here", "there", addresses[1]!);
    await installAddon(lab);
    await rolledOut(lab);
    await connected(lab, nodes[0], 1);
    await stream.mustBeWhole();
    for (const [at, node] of nodes.entries()) {
      expect((await weaveOn(lab, node, ["ps"])).stdout).toContain(addresses[at]!);
    }
    const later = await pods.run([
      { name: "here-later", node: nodes[0] },
      { name: "there-later", node: nodes[1] },
    ]);
    expect(new Set([...addresses, ...later]).size).toBe(4);
    await pods.eventuallyConnects("here-later", addresses[1]!, true);
    await pods.eventuallyConnects("there", later[0]!, true);
  });
});
