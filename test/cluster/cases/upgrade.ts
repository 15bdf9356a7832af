import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ClusterLab } from "../cluster-lab.ts";
import type { ClusterNode } from "../cluster-node.ts";
import { TestPods } from "../test-pods.ts";
import { addon, rolledOut, weaveImage } from "../weave-addon.ts";

const nextImage = "weave:next";
const waitMs = 300_000;

/** A program that ends with its input, which therefore never ends. */
const receive = "mkfifo /tmp/nothing; exec 3<>/tmp/nothing; nc -l -p 9000 <&3";

/** Lines with numbers, for as long as nobody says that it is enough. */
const count = "i=0; while [ ! -e /tmp/stop ]; do echo $i; i=$((i+1)); sleep 0.1; done; echo end";

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
      await cluster().addImage(await weaveImage(cluster().folder, nextImage));
    });
    afterAll(() => pods?.end());

    test("goes from node to node, and loses nothing of a connection between pods", async () => {
      const got = pods.exec("there", ["sh", "-c", receive], { waitMs });
      // Until somebody listens there, attempts fail at once.
      const send = `{ ${count}; } | { until nc ${there} 9000; do sleep 0.1; done; }`;
      const sent = pods.exec("here", ["sh", "-c", send], { waitMs });
      const images = [`weave=${nextImage}`, `weave-init=${nextImage}`];
      const set = ["set", "image", "-n", addon.namespace, `daemonset/${addon.name}`, ...images];
      await cluster().plane.mustKubectl(set);
      await rolledOut(cluster());
      await pods.mustExec("here", ["touch", "/tmp/stop"]);
      expect((await sent).code).toBe(0);
      const text = (await got).stdout;
      expect(text).toEndWith("end\n");
      const lines = text.split("\n").slice(0, -2);
      expect(lines).toEqual(lines.map((_, at) => String(at)));
      expect(lines.length).toBeGreaterThan(10);
    });
  });
}
