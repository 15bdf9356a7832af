import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { assumedMtu, PathMtu, unlimitedMtu } from "../../lib/overlay/path-mtu.ts";
import { type PathMtuPlan, prudentPlan } from "../../lib/overlay/path-mtu-plan.ts";
import {
  datagramMax,
  datagramMaxOfMtu,
  encryptedHeadSize,
  pathOverhead,
  plainHeadSize,
} from "../../lib/overlay/sleeve/datagram.ts";
import { mtuTestable } from "../../lib/overlay/sleeve/special-frame.ts";
import vectors from "../vectors/sleeve/pmtu-search.json";
import { referencePlan } from "./sleeve/reference-plan.ts";

/** As sleeve asks. */
function searchOf(headSize: number, plan: PathMtuPlan): PathMtu {
  return new PathMtu({ overhead: pathOverhead(headSize, 4), testable: mtuTestable }, plan);
}

/** A path on which packets up to `passes` get through, answered after `delayMs`. */
class Path {
  nowMs = 0;
  passes: number;
  delayMs = 1;
  readonly probes: { mtu: number; atMs: number }[] = [];
  readonly #answers: { mtu: number; atMs: number }[] = [];
  readonly search: PathMtu;
  readonly #headSize: number;

  constructor(passes: number, plan: PathMtuPlan = prudentPlan, headSize = plainHeadSize) {
    this.passes = passes;
    this.#headSize = headSize;
    this.search = searchOf(headSize, plan);
  }

  get datagramMax(): number {
    return datagramMaxOfMtu(this.search.mtu, this.#headSize);
  }

  kernelSays(pathMtu: number): void {
    this.search.tooBig(pathMtu, this.nowMs);
    this.#send();
  }

  #send(): void {
    for (let mtu = this.search.nextProbe(); mtu !== undefined; mtu = this.search.nextProbe()) {
      this.probes.push({ mtu, atMs: this.nowMs });
      if (mtu <= this.passes) this.#answers.push({ mtu, atMs: this.nowMs + this.delayMs });
    }
  }

  /** Lets time pass until nothing happens before `untilMs`. */
  run(untilMs: number): void {
    for (let steps = 0; ; steps++) {
      expect(steps).toBeLessThan(100_000);
      const answerMs = this.#answers[0]?.atMs ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.min(answerMs, this.search.deadlineMs);
      if (nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (answerMs === nextMs) this.search.answered(this.#answers.shift()!.mtu, this.nowMs);
      else this.search.tick(this.nowMs);
      this.#send();
    }
    this.nowMs = untilMs;
  }

  settle(): void {
    for (let tries = 0; this.search.searching && tries < 1000; tries++) this.run(this.nowMs + 100);
    expect(this.search.searching).toBe(false);
  }
}

describe("with the plan of the original", () => {
  for (const run of vectors.runs) {
    test(run.description, () => {
      const headSize = run.encrypted ? encryptedHeadSize : plainHeadSize;
      const path = new Path(run.largest_overlay_mtu_that_really_passes, referencePlan, headSize);
      expect(pathOverhead(headSize, 4)).toBe(run.overhead_df);
      path.kernelSays(run.kernel_reported_pmtu);
      const { bounds, mtu } = path.search;
      expect({
        candidate: path.probes[0]!.mtu,
        highest_good: bounds.good,
        lowest_bad: bounds.bad,
        max_payload: path.datagramMax,
        mtu,
      }).toEqual(run.after_emsgsize);

      path.settle();
      const probes = new Map<number, number>();
      for (const probe of path.probes) probes.set(probe.mtu, (probes.get(probe.mtu) ?? 0) + 1);
      expect([...probes]).toEqual(run.probes.map(({ candidate, sends }) => [candidate, sends]));
      expect(path.search.mtu).toBe(run.final_mtu);
      expect(path.datagramMax).toBe(run.final_max_payload);
    });
  }

  test("a size is asked about eight times at doubling intervals", () => {
    const path = new Path(0, referencePlan);
    path.kernelSays(1500);
    path.run(2550);
    const times = path.probes.filter(({ mtu }) => mtu === 1438).map(({ atMs }) => atMs);
    const waits = [...times.slice(1), path.probes.find(({ mtu }) => mtu !== 1438)!.atMs];
    const names = waits.map((at, i) => at - times[i]!);
    expect(names).toEqual([10, 20, 40, 80, 160, 320, 640, 1280]);
    expect(vectors.timeouts).toEqual(names.map((ms) => (ms < 1000 ? `${ms}ms` : `${ms / 1000}s`)));
  });

  test("a refusal during a search restarts it only if it says less", () => {
    const state = (path: Path) => ({
      candidate: path.probes.at(-1)!.mtu,
      mtu: path.search.mtu,
    });
    const { restart } = vectors;
    const path = new Path(0, referencePlan);
    path.kernelSays(1500);
    expect(state(path)).toEqual(restart.first_emsgsize_1500);
    path.kernelSays(1500);
    expect(state(path)).toEqual(restart.second_emsgsize_1500_during_search_is_ignored);
    expect(path.probes).toHaveLength(1);
    path.kernelSays(1400);
    expect({ ...state(path), max_payload: path.datagramMax }).toEqual(
      restart.emsgsize_1400_during_search_restarts,
    );
  });
});

describe("with our plan", () => {
  test("nothing is limited until the kernel refuses a size", () => {
    const { search, datagramMax: max } = new Path(0);
    expect(search.mtu).toBe(unlimitedMtu);
    expect(max).toBe(datagramMax);
    expect(search.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("an ordinary path is settled by the first answer", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    expect(path.search.mtu).toBe(assumedMtu);
    expect(path.search.ceiling).toBe(1438);
    path.run(5);
    expect(path.search.mtu).toBe(1438);
    expect(path.probes).toEqual([{ mtu: 1438, atMs: 0 }]);
    expect(path.search.searching).toBe(false);
  });

  test("a peer that takes long to answer is asked once", () => {
    const path = new Path(1438);
    path.delayMs = 200;
    path.search.expectAnswerAfter(150);
    path.kernelSays(1500);
    path.settle();
    expect(path.search.mtu).toBe(1438);
    expect(path.probes).toEqual([{ mtu: 1438, atMs: 0 }]);
  });

  test("a path is asked about as quickly as ever once it has answered", () => {
    const path = new Path(1438);
    path.search.expectAnswerAfter(500);
    path.kernelSays(1500);
    path.settle();
    path.passes = 1300;
    path.search.relied(path.nowMs);
    const before = path.nowMs;
    path.run(before + 1400);
    expect(path.search.mtu).toBeLessThanOrEqual(1300);
  });

  test("a peer that took very long is asked again after a second, and later as always", () => {
    const path = new Path(0);
    path.search.expectAnswerAfter(60_000);
    path.kernelSays(1500);
    path.run(10_000);
    const times = path.probes.filter(({ mtu }) => mtu === 1438).map(({ atMs }) => atMs);
    const waits = times.slice(1).map((at, i) => at - times[i]!);
    expect(waits).toEqual([1000, 1000, 1000, 1000, 1000, 1000, 1000]);
    path.settle();
    expect(path.search.silent).toBe(true);
  });

  test("data never uses a size that was not answered", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 552, max: 9000 }),
        fc.integer({ min: 600, max: 9001 }),
        fc.integer({ min: 1, max: 300 }),
        (passes, pathMtu, delayMs) => {
          const path = new Path(passes);
          path.delayMs = delayMs;
          path.kernelSays(pathMtu);
          for (let i = 0; i < 400; i++) {
            path.run(path.nowMs + 25);
            expect(path.search.mtu).toBeLessThanOrEqual(passes);
          }
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  test("the largest size that passes is found, on any path", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 240, max: 9000 }),
        fc.integer({ min: 600, max: 9001 }),
        (passes, pathMtu) => {
          const path = new Path(passes);
          path.kernelSays(pathMtu);
          path.settle();
          expect(path.search.mtu).toBe(Math.min(passes, pathMtu - pathOverhead(plainHeadSize, 4)));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  for (const run of vectors.runs.filter((each) => each.probes.length > 1)) {
    const passes = run.largest_overlay_mtu_that_really_passes;
    if (passes === 0) continue;
    test(`a black hole costs less time than in the original: ${run.description}`, () => {
      const headSize = run.encrypted ? encryptedHeadSize : plainHeadSize;
      const path = new Path(passes, prudentPlan, headSize);
      path.delayMs = 20;
      path.kernelSays(run.kernel_reported_pmtu);
      path.run(500);
      expect(path.search.mtu).toBeGreaterThan(passes * 0.7);
      expect(path.search.ceiling).toBe(path.search.mtu);
      path.settle();
      const originalMs = run.probes.filter(({ acked }) => !acked).length * 2550;
      expect(path.nowMs).toBeLessThan(originalMs / 4);
      expect(path.search.mtu).toBe(run.final_mtu);
      expect(path.datagramMax).toBe(run.final_max_payload);
    });
  }

  test("a sender is told the kernel's figure until something is certain", () => {
    const path = new Path(1338);
    path.delayMs = 20;
    path.kernelSays(1500);
    path.run(60);
    expect([path.search.mtu, path.search.ceiling]).toEqual([assumedMtu, 1438]);
    path.run(100);
    expect([path.search.mtu, path.search.ceiling]).toEqual([1338, 1438]);
    path.run(400);
    expect([path.search.mtu, path.search.ceiling]).toEqual([1338, 1338]);
  });

  test("a path that shrinks without a word at rest is noticed within about four minutes", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(30_000);
    path.passes = 1300;
    path.run(243_000);
    expect(path.search.mtu).toBeLessThanOrEqual(1300);
    path.settle();
    expect(path.search.mtu).toBe(1300);
  });

  test("the first data that relies on what was proven long ago has it asked about at once", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(30_000);
    path.passes = 1300;
    path.run(180_000);
    expect(path.search.mtu).toBe(1438);
    path.search.relied(path.nowMs);
    path.run(181_500);
    expect(path.search.mtu).toBeLessThanOrEqual(1300);
  });

  test("a path that shrinks without a word under load is noticed within a second and a half", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(30_000);
    for (let ms = 30_000; ms < 40_000; ms += 10) {
      if (ms === 35_000) path.passes = 1218;
      path.search.relied(path.nowMs);
      path.run(ms);
      if (ms < 35_000) expect(path.search.mtu).toBe(1438);
      if (ms > 36_500) expect(path.search.mtu).toBe(1218);
    }
    // Once a second while all is well.
    expect(path.probes.filter(({ atMs }) => atMs >= 30_000 && atMs < 35_000)).toHaveLength(5);
  });

  test("a path that loses one packet in ten is not taken for a smaller one", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(1000);
    let asked = 0;
    for (let ms = 1000; ms < 1_000_000; ms += 10) {
      // What is asked now is lost, every tenth time.
      path.passes = asked % 10 === 9 ? 0 : 1438;
      path.search.relied(path.nowMs);
      path.run(ms);
      asked = path.probes.length;
      expect(path.search.mtu).toBe(1438);
    }
    expect(asked).toBeGreaterThan(900);
  });

  test("a path that is as it was is asked every four minutes", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(40 * 60_000 + 30_000);
    expect(path.probes).toHaveLength(11);
    expect(path.search.mtu).toBe(1438);
  });

  test("a path that grows is used when the kernel says so", () => {
    const path = new Path(1338);
    path.kernelSays(1400);
    path.settle();
    expect(path.search.mtu).toBe(1338);
    path.passes = 1438;
    path.kernelSays(1500);
    expect([path.search.mtu, path.search.ceiling]).toEqual([1338, 1338]);
    path.settle();
    expect(path.search.mtu).toBe(1438);
  });

  test("a hidden limit that stays is not gambled with when it is asked about again", () => {
    const path = new Path(1338);
    path.kernelSays(1500);
    path.settle();
    path.kernelSays(1500);
    for (let i = 0; i < 200; i++) {
      expect([path.search.mtu, path.search.ceiling]).toEqual([1338, 1338]);
      path.run(path.nowMs + 25);
    }
    expect(path.search.searching).toBe(false);
  });

  test("the kernel's word that nothing changed asks no questions", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.settle();
    path.kernelSays(1500);
    expect(path.probes).toHaveLength(1);
  });

  test("a kernel that learns of a smaller path is believed at once", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.settle();
    path.passes = 1214;
    path.kernelSays(1276);
    expect(path.search.mtu).toBe(assumedMtu);
    expect(path.search.ceiling).toBe(1214);
    path.settle();
    expect(path.search.mtu).toBe(1214);
  });

  test("a path below the assumption is found, not black-holed", () => {
    const path = new Path(300);
    path.kernelSays(1500);
    path.settle();
    expect(path.search.mtu).toBe(300);
    expect(path.search.silent).toBe(false);
  });

  test("a path that answers nothing is reported, kept at the assumption and asked again", () => {
    const path = new Path(0);
    path.kernelSays(1500);
    path.run(2_600);
    expect(path.search.silent).toBe(true);
    expect(path.search.mtu).toBe(assumedMtu);
    path.passes = 1438;
    path.run(33_000);
    expect(path.search.silent).toBe(false);
    expect(path.search.mtu).toBe(1438);
  });

  test("a peer that is out for a while leaves the size as it was, for senders too", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40_000 }),
        fc.integer({ min: 0, max: 2000 }),
        (outMs, afterMs) => {
          const path = new Path(1438);
          path.kernelSays(1500);
          path.run(30_000 + afterMs);
          path.passes = 0;
          const backMs = path.nowMs + outMs;
          for (let ms = path.nowMs; ms < backMs + 8_000; ms += 50) {
            if (ms >= backMs) path.passes = 1438;
            path.search.relied(path.nowMs);
            path.run(ms);
            expect(path.search.ceiling).toBe(1438);
          }
          expect(path.search.silent).toBe(false);
          expect(path.search.mtu).toBe(1438);
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  test("a path that comes back smaller is found to be so within seconds", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(30_000);
    path.passes = 0;
    path.search.relied(path.nowMs);
    path.run(50_000);
    expect(path.search.silent).toBe(true);
    path.passes = 1300;
    path.run(57_000);
    expect(path.search.mtu).toBe(1300);
    expect(path.search.ceiling).toBe(1300);
  });

  test("a kernel that learns of a smaller path while nothing is answered is believed", () => {
    const path = new Path(1438);
    path.kernelSays(1500);
    path.run(30_000);
    path.passes = 0;
    path.search.relied(path.nowMs);
    path.run(50_000);
    path.kernelSays(1500);
    path.run(55_000);
    expect(path.search.ceiling).toBe(1438);
    path.kernelSays(1300);
    expect(path.search.ceiling).toBe(1238);
    path.run(60_000);
    expect(path.search.ceiling).toBeLessThanOrEqual(1238);
  });

  test("answers to questions that were not asked change nothing", () => {
    const path = new Path(1438);
    path.search.answered(9000, 0);
    path.kernelSays(1500);
    for (const mtu of [0, 1, 551, 1439, 65_535]) path.search.answered(mtu, 0);
    expect(path.search.mtu).toBe(assumedMtu);
    path.settle();
    path.search.answered(100, path.nowMs);
    expect(path.search.mtu).toBe(1438);
  });

  test("nonsense from the kernel changes nothing", () => {
    const { search } = new Path(1438);
    for (const pathMtu of [-1, 0, 1, 62]) search.tooBig(pathMtu, 0);
    expect(search.mtu).toBe(unlimitedMtu);
    expect(search.nextProbe()).toBeUndefined();
  });

  test("a size that would be mistaken for a heartbeat or a fragmentation test is not asked about", () => {
    for (const pathMtu of [70, 60_049]) {
      const path = new Path(100_000);
      path.kernelSays(pathMtu);
      path.settle();
      expect(path.probes.some(({ mtu }) => mtu === 8 || mtu === 59_987)).toBe(false);
    }
  });
});
