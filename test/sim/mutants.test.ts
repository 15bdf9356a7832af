import { afterEach, describe, expect, mock, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import * as nameMerge from "../../lib/dns/name-merge.ts";
import type { Fence } from "../../lib/ipam/reclaim-lease.ts";
import * as ringMerge from "../../lib/ipam/ring-merge.ts";
import { findCause } from "../../lib/simulator/find-cause.ts";
import { makePlan, type PlanOptions } from "../../lib/simulator/plan-maker.ts";
import { type Outcome, simulate } from "../../lib/simulator/simulate.ts";
import { drawTimeline } from "../../lib/simulator/timeline.ts";

/**
 * Is the simulator any good? Mistakes that are easy to make are planted in the code that it runs,
 * and it has to find them.
 */
const real = {
  "../../lib/dns/name-merge.ts": { ...nameMerge },
  "../../lib/ipam/ring-merge.ts": { ...ringMerge },
};

const size = { peers: 10, faults: 40 };
/** Most are found with the first seed or the second. */
const seedsMax = 40;

function plant(path: keyof typeof real, mistake: object): void {
  mock.module(path, () => ({ ...real[path], ...mistake }));
}

afterEach(() => {
  for (const [path, module] of Object.entries(real)) mock.module(path, () => module);
});

/** The first history that a mistake breaks. */
async function firstBroken(options: PlanOptions = size, fence?: Fence): Promise<Outcome> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const outcome = await simulate(makePlan(seed, options), undefined, fence);
    if (outcome.breach !== undefined) return outcome;
  }
  throw new Error(`${seedsMax} seeds did not find it`);
}

const { mergeRings } = real["../../lib/ipam/ring-merge.ts"];
const { mergeEntries } = real["../../lib/dns/name-merge.ts"];

describe("a mistake in the merging of rings is found:", () => {
  test("what another says of its range is taken for newer than it is", async () => {
    plant("../../lib/ipam/ring-merge.ts", {
      mergeRings: (...[ours, theirs, context]: Parameters<typeof mergeRings>) => {
        const entries = theirs.entries.map((each) => ({ ...each, version: each.version + 1 }));
        return mergeRings(ours, { ...theirs, entries }, context);
      },
    });
    const { breach } = await firstBroken();
    expect(breach?.invariant).toBeOneOf([
      "no address has two owners",
      "no peer refuses what another sends",
    ]);
  });

  test("a range that somebody split is not split here", async () => {
    plant("../../lib/ipam/ring-merge.ts", {
      mergeRings: (...[ours, theirs, context]: Parameters<typeof mergeRings>) => {
        const known = new Set(ours.entries.map(({ token }) => token));
        const entries = theirs.entries.filter(
          ({ token, peer }) => known.size === 0 || known.has(token) || peer === context.self,
        );
        return mergeRings(ours, { ...theirs, entries }, context);
      },
    });
    const { breach } = await firstBroken();
    expect(breach?.invariant).toBe("no address has two owners");
  });
});

describe("a mistake in the fencing of reclaim is found:", () => {
  const reclaiming = { peers: 7, faults: 40, durationMs: 600_000, reclaimAfterMs: 60_000 };

  test("a peer uses its ranges without a lease, and with leases the same history is harmless", async () => {
    const { breach, plan } = await firstBroken(reclaiming, () => true);
    expect(breach?.invariant).toBe("an address is given by its owner alone");
    expect((await simulate(plan)).breach).toBeUndefined();
  });
});

describe("a mistake in tombstones is found:", () => {
  test("names of an earlier life of a peer are not deleted", async () => {
    plant("../../lib/dns/name-merge.ts", {
      mergeEntries: (...[store, incoming, context]: Parameters<typeof mergeEntries>) =>
        mergeEntries(store, incoming, { ...context, self: 0 as PeerName }),
    });
    const { breach } = await firstBroken();
    expect(breach?.invariant).toBe("all peers know the registered names and no others");
  });

  test("deletions that others tell are not believed, and the cause is made small and drawn", async () => {
    plant("../../lib/dns/name-merge.ts", {
      mergeEntries: (...[store, incoming, context]: Parameters<typeof mergeEntries>) =>
        mergeEntries(
          store,
          [...incoming].filter(({ tombstone }) => tombstone === 0),
          context,
        ),
    });
    const found = await firstBroken();
    const cause = await findCause(found);
    expect(cause.breach?.invariant).toBe(found.breach?.invariant);
    // A name, and its removal; what else is needed is that somebody hears of both.
    expect(cause.plan.steps.map(({ kind }) => kind)).toContain("unname");
    expect(cause.plan.steps.length).toBeLessThan(6);
    const drawing = drawTimeline(cause.happenings, { peers: size.peers, columns: 60 });
    expect(drawing).toContain("!");
    expect(drawing.split("\n").every((line) => line.length <= 60 + 12)).toBe(true);
  });
});
