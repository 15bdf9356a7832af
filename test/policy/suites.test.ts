import { describe, expect, test } from "bun:test";
import { partyAt } from "../../lib/policy/cluster.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import { clusterFromJson, ipOf } from "./cluster-from-json.ts";
import { type ClusterJson, nameOf } from "./suites/cluster-json.ts";
import { applied, type Probe, startingCluster, suiteCases } from "./suites/index.ts";

/** A probe whose answer is another than the case says, as text; `undefined` when it is that. */
type Judge = (cluster: ClusterJson) => (probe: Probe) => boolean;

const byEvaluator: Judge = (json) => {
  const cluster = clusterFromJson(json);
  const addresses = new Map(json.pods.map((pod) => [nameOf(pod), ipOf(pod.status.podIP)]));
  return ({ from, to, protocol, port }) =>
    evaluate(cluster, {
      source: partyAt(cluster, addresses.get(from)!),
      destination: partyAt(cluster, addresses.get(to)!),
      port: { protocol, port },
    }).allowed;
};

for (const suite of ["upstream", "cyclonus"] as const) {
  describe(`the ${suite} suite, asked of the evaluator`, () => {
    for (const { id, title, steps } of suiteCases.filter((each) => each.suite === suite)) {
      test(`${id}: ${title}`, () => {
        let cluster = startingCluster();
        let made = 0;
        const start = new Map(cluster.pods.map((pod) => [nameOf(pod), pod.status.podIP]));
        for (const { actions, probes } of steps((pod) => start.get(pod)!)) {
          for (const action of actions) {
            cluster = applied(cluster, action, () => `10.32.1.${++made}`);
          }
          const answer = byEvaluator(cluster);
          const wrong = probes.filter((probe) => answer(probe) !== probe.allowed);
          expect(wrong).toEqual([]);
        }
      });
    }
  });
}
