import { afterAll, beforeAll, describe, test } from "bun:test";
import { imageName } from "../../../build/image.ts";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { LineStream } from "../line-stream.ts";
import { TestPods } from "../test-pods.ts";
import { addon, rolledOut } from "../weave-addon.ts";

const nextImage = "weave:next";

/** One container's image for another's, as an operator does it. */
export function describeUpgrade(cluster: () => ClusterLab): void {
  describe("an upgrade of the DaemonSet", () => {
    let pods: TestPods;
    let there: string;
    beforeAll(async () => {
      const [one, two] = cluster().nodes as [ClusterNode, ClusterNode];
      pods = await TestPods.in(cluster(), "upgrade");
      there = (
        await pods.run([
          { name: "here", node: one },
          { name: "there", node: two },
        ])
      )[1]!;
      // What it does is the same: that it is another is what matters.
      await cluster().tagImage(imageName(), nextImage);
    });
    afterAll(() => pods?.end());

    test("goes from node to node, and loses nothing of a connection between pods", async () => {
      const stream = new LineStream(pods, "here", "there", there);
      const images = [`weave=${nextImage}`, `weave-init=${nextImage}`];
      const set = ["set", "image", "-n", addon.namespace, `daemonset/${addon.name}`, ...images];
      await cluster().plane.mustKubectl(set);
      await rolledOut(cluster());
      await stream.mustBeWhole();
    });
  });
}
