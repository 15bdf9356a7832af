import { expect, test } from "bun:test";
import { seededRandom } from "../../lib/base/random.ts";
import { silentLog } from "../../lib/base/world.ts";
import { kubernetesError } from "../../lib/kubernetes/kubernetes-error.ts";
import { ObjectTable } from "../../lib/kubernetes/object-table.ts";
import { pods } from "../../lib/kubernetes/resources.ts";
import { WatchCycle } from "../../lib/kubernetes/watch-cycle.ts";

test("a list whose pages expire is asked for as a whole, and in pages again where that is too much", () => {
  const cycle = new WatchCycle(seededRandom(1), new ObjectTable(silentLog), pods);
  const limits: unknown[] = [];
  for (const code of [
    "K8S_GONE",
    "K8S_ANSWER",
    "K8S_GONE",
    "K8S_GONE",
    "K8S_UNREACHABLE",
  ] as const) {
    const step = cycle.next();
    limits.push(step.kind === "list" && step.page.limit);
    cycle.failed(kubernetesError(code, "no list"), 0);
    cycle.rested();
  }
  expect(limits).toEqual([500, 0, 500, 0, 500]);
});
