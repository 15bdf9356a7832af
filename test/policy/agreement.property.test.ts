import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { partyAt } from "../../lib/policy/cluster.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import { clusterFromRaw, ipOf, portOf } from "./cluster-from-json.ts";
import { naivelyAllowed, type RawConnection } from "./naive-evaluator.ts";
import { cluster, connection } from "./random-cluster.ts";

describe("what policies of any kind say", () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`is the same told twice: ${seed}`, () => {
      fc.assert(
        fc.property(cluster, fc.array(connection, { minLength: 3, maxLength: 3 }), (raw, asked) => {
          const known = clusterFromRaw(raw);
          const wrong = asked.filter(
            (each) => evaluated(known, each) !== naivelyAllowed(raw, each),
          );
          expect(wrong).toEqual([]);
        }),
        { seed, numRuns: 2_500 },
      );
    });
  }
});

function evaluated(known: ReturnType<typeof clusterFromRaw>, asked: RawConnection): boolean {
  return evaluate(known, {
    source: partyAt(known, ipOf(asked.from)),
    destination: partyAt(known, ipOf(asked.to)),
    port: portOf(asked),
  }).allowed;
}
