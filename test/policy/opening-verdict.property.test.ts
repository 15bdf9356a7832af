import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { HostIp } from "../../lib/base/ip.ts";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { openingVerdict } from "../../lib/policy/opening-verdict.ts";
import { ipOf, portOf } from "./cluster-from-json.ts";
import { isNotJudged, naivelyAllowed, type RawConnection } from "./naive-evaluator.ts";
import { connection } from "./random-cluster.ts";
import { ClusterState, clusterEvent, tell } from "./random-events.ts";

const machineNames = ["m", "n"] as const;

/** What the rules of both machines say of a connection that has begun: one that denies ends it. */
function verdictOf(machines: ReadonlyMap<string, PolicyCompiler>, asked: RawConnection) {
  const opening = { source: ipOf(asked.from), destination: ipOf(asked.to), port: portOf(asked) };
  const isOwn = (_: HostIp) => false;
  const verdicts = Array.from(machines.values(), ({ rules }) =>
    openingVerdict(rules, opening, { judgesGroups: true, isOwn }),
  );
  return verdicts.find((each) => each !== "allowed") ?? "allowed";
}

const events = fc.noBias(fc.array(clusterEvent, { minLength: 20, maxLength: 60, size: "max" }));
const questions = fc.array(connection, { minLength: 8, maxLength: 8 });

describe("whether a connection that stands could begin anew", () => {
  for (const seed of [1, 2, 3]) {
    test(`is what its policies say, whatever happened in which order: ${seed}`, () => {
      const property = fc.property(events, questions, (happened, asked) => {
        const state = new ClusterState();
        const machines = new Map(machineNames.map((name) => [name, new PolicyCompiler()]));
        for (const event of happened) {
          state.happen(event);
          for (const [name, compiler] of machines) tell(compiler, event, name);
        }
        for (const compiler of machines.values()) compiler.commit();
        const raw = state.raw();
        const isHeld = ({ from, to }: RawConnection) => state.held.has(from) || state.held.has(to);
        const found = asked
          .filter((each) => each.from === each.to || !isNotJudged(raw, each))
          .filter((each) => each.from === each.to || !isHeld(each))
          .map((each) => ({ each, verdict: verdictOf(machines, each) }));
        const wrong = found.filter(
          ({ each, verdict }) => (verdict === "allowed") !== naivelyAllowed(raw, each),
        );
        expect(wrong).toEqual([]);
      });
      fc.assert(property, { seed, numRuns: 160 });
    });
  }
});
