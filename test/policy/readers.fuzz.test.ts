import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { WeaveError } from "../../lib/base/errors.ts";
import { partyAt } from "../../lib/policy/cluster.ts";
import { readPolicies } from "../../lib/policy/read-policies.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import { clusterFromRaw, ipOf, portOf } from "./cluster-from-json.ts";
import type { RawCluster, RawPolicy } from "./naive-evaluator.ts";
import { cluster, connection, policy } from "./random-cluster.ts";

type Json = Record<string | number, unknown>;

/** Objects and lists within a policy; in labels every field means something. */
function placesIn(value: unknown): Json[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value)
    .filter(([key]) => key !== "matchLabels")
    .flatMap(([, each]) => placesIn(each));
  return [value as Json, ...inner];
}

function objectsIn(value: unknown): Json[] {
  return placesIn(value).filter((place) => !Array.isArray(place));
}

/** A copy of a policy in which `change` was done to one of the places, whichever `at` comes to. */
function changed(
  original: RawPolicy,
  at: number,
  places: (spec: unknown) => Json[],
  change: (place: Json) => void,
): RawPolicy {
  const copy = structuredClone(original);
  const found = places(copy.spec);
  change(found[at % found.length]!);
  return copy;
}

function allowed(raw: RawCluster, asked: Parameters<typeof portOf>[0]): boolean {
  const known = clusterFromRaw(raw);
  const [source, destination] = [asked.from, asked.to].map((text) => partyAt(known, ipOf(text)));
  return evaluate(known, { source: source!, destination: destination!, port: portOf(asked) })
    .allowed;
}

const questions = fc.array(connection, { minLength: 8, maxLength: 8 });

describe("a policy of which something is not understood", () => {
  test("opens nothing by a field that nobody knows, wherever it stands", () => {
    fc.assert(
      fc.property(cluster, fc.nat(), fc.nat(), questions, (raw, which, at, asked) => {
        const one = which % raw.policies.length;
        const policies = raw.policies.map((each, index) =>
          index === one
            ? changed(each, at, objectsIn, (place) => {
                place.unheardOf = {};
              })
            : each,
        );
        const opened = asked.filter(
          (each) => allowed({ ...raw, policies }, each) && !allowed(raw, each),
        );
        expect(opened).toEqual([]);
        expect(readPolicies(policies[one]).problems).not.toEqual([]);
      }),
      { seed: 1, numRuns: 600 },
    );
  });

  test("is read or refused for a stated reason, whatever stands in it", () => {
    fc.assert(
      fc.property(policy, fc.nat(), fc.nat(), fc.jsonValue(), (original, at, which, garbage) => {
        const broken = changed(original, at, placesIn, (place) => {
          const keys = Object.keys(place);
          place[keys[which % Math.max(1, keys.length)] ?? "0"] = garbage;
        });
        for (const problem of readPolicies(broken).problems) {
          expect(problem.sentence).toStartWith(problem.where);
          expect(problem.where).toStartWith("spec");
          expect(problem.remedy).not.toBe("");
        }
      }),
      { seed: 2, numRuns: 1_500 },
    );
  });

  test("is refused with a code and a remedy where it is no policy at all", () => {
    const near = fc.record(
      {
        kind: fc.oneof(
          fc.constantFrom("NetworkPolicy", "List", "AdminNetworkPolicy"),
          fc.jsonValue(),
        ),
        apiVersion: fc.oneof(fc.constant("networking.k8s.io/v1"), fc.jsonValue()),
        metadata: fc.oneof(fc.constant({ name: "a" }), fc.jsonValue()),
        items: fc.jsonValue(),
        spec: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(near, fc.jsonValue()), (document) => {
        const refusal = refusalOf(() => readPolicies(document));
        if (refusal === undefined) return;
        expect(refusal).toBeInstanceOf(WeaveError);
        expect(["POLICY_FORMAT", "POLICY_KIND"]).toContain((refusal as WeaveError).code);
        expect((refusal as WeaveError).remedy).not.toBeUndefined();
      }),
      { seed: 3, numRuns: 1_500 },
    );
  });
});

function refusalOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}
