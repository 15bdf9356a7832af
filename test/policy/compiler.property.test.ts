import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import { FollowedRules } from "./apply-change.ts";
import { ipOf, portOf } from "./cluster-from-json.ts";
import { isLetThrough } from "./interpret.ts";
import { isNotJudged, naivelyAllowed, type RawConnection } from "./naive-evaluator.ts";
import { connection } from "./random-cluster.ts";
import { type ClusterEvent, ClusterState, clusterEvent, tell } from "./random-events.ts";

/** One machine of a cluster: its compiler, and a packet filter that hears what has changed. */
class Machine {
  readonly compiler = new PolicyCompiler();
  readonly rules = new FollowedRules();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  hear(...events: readonly ClusterEvent[]): void {
    for (const event of events) {
      tell(this.compiler, event, this.#name);
      if (event.does === "commit") this.commit();
    }
  }

  commit(): void {
    this.rules.follow(this.compiler.commit());
  }
}

const machineNames = ["m", "n"] as const;

/** Both ends must let it through, each by the packet filter of its machine. */
function isThrough(machines: readonly Machine[], asked: RawConnection): boolean {
  const packet = { source: ipOf(asked.from), destination: ipOf(asked.to), port: portOf(asked) };
  return machines.every(({ rules }) => isLetThrough(rules, packet));
}

function shouldBeThrough(state: ClusterState, asked: RawConnection): boolean {
  const isHeld = state.held.has(asked.from) || state.held.has(asked.to);
  if (isHeld) return asked.from === asked.to;
  return naivelyAllowed(state.raw(), asked);
}

function check(state: ClusterState, machines: readonly Machine[], asked: readonly RawConnection[]) {
  const raw = state.raw();
  // What goes between a pod and its machine never comes to the rules.
  const wrong = asked
    .filter((each) => each.from === each.to || !isNotJudged(raw, each))
    .filter((each) => isThrough(machines, each) !== shouldBeThrough(state, each));
  expect(wrong).toEqual([]);
}

const events = fc.noBias(fc.array(clusterEvent, { minLength: 20, maxLength: 60, size: "max" }));
const questions = fc.array(connection, { minLength: 8, maxLength: 8 });

describe("rules that follow a cluster", () => {
  for (const seed of [1, 2, 3]) {
    test(`let through what its policies allow, whatever happened in which order: ${seed}`, () => {
      fc.assert(
        fc.property(events, questions, (happened, asked) => {
          const state = new ClusterState();
          const machines = machineNames.map((name) => new Machine(name));
          for (const event of happened) {
            state.happen(event);
            for (const machine of machines) machine.hear(event);
            if (event.does === "commit") check(state, machines, asked.slice(0, 2));
          }
          for (const machine of machines) machine.commit();
          check(state, machines, asked);
        }),
        { seed, numRuns: 160 },
      );
    });
  }

  test("are the same however the cluster came to be what it is", () => {
    fc.assert(
      fc.property(events, (happened) => {
        const state = new ClusterState();
        const grown = new Machine("m");
        for (const event of happened) {
          state.happen(event);
          grown.hear(event);
        }
        grown.commit();
        const made = new Machine("m");
        made.hear(...state.events());
        made.commit();
        const wanted = shown(made.compiler.rules);
        expect(shown(grown.compiler.rules)).toEqual(wanted);
        expect(shown(grown.rules)).toEqual(wanted);
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test("are none when all is gone, in whatever order it went", () => {
    fc.assert(
      fc.property(
        events,
        fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
        (happened, order) => {
          const state = new ClusterState();
          const machine = new Machine("m");
          for (const event of happened) {
            state.happen(event);
            machine.hear(event);
          }
          const ends = state.events(true).map((end, at) => ({ end, rank: order[at] ?? 0 }));
          machine.hear(...ends.toSorted((a, b) => a.rank - b.rank).map(({ end }) => end));
          machine.commit();
          expect(shown(machine.rules)).toEqual(shown(new FollowedRules()));
          expect(shown(machine.compiler.rules)).toEqual(shown(new FollowedRules()));
          expect(machine.compiler.commit()).toBeUndefined();
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });
});

/** In an order that does not depend on what came first. */
function shown({ sets, portSets, chains, targets }: FollowedRules | PolicyCompiler["rules"]) {
  const sorted = <Key, Value>(map: ReadonlyMap<Key, Value>, form: (value: Value) => unknown) =>
    [...map].map(([key, value]) => [String(key), form(value)] as const).sort(byKey);
  const byKey = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
    a[0] < b[0] ? -1 : 1;
  return {
    sets: sorted(sets, (set) => [...set].map(String).sort()),
    portSets: sorted(portSets, (set) => [...set.keys()].sort()),
    chains: sorted(chains, (chain) => chain),
    targets: [targets.ingress, targets.egress].map((map) => sorted(map, (key) => key)),
  };
}
