import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WeaveError } from "../../lib/base/errors.ts";
import type { Bundle } from "../../lib/incident/bundle.ts";
import { type BundleParts, makeBundle } from "../../lib/incident/make-bundle.ts";
import { readBundle } from "../../lib/incident/read-bundle.ts";
import {
  IncidentReplay,
  type ReplayOptions,
  type Scene,
} from "../../lib/simulator/incident/replay.ts";
import { scriptOf } from "../../lib/simulator/incident/script.ts";
import { exampleParts, one, three, two } from "../incident/example.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2, 15, 0, seconds)).toISOString();

type Topology = Bundle["history"]["topology"][number];

function topology(...records: readonly [number, Topology["change"], ...string[]][]): Topology[] {
  return records.map(([seconds, change, ...peers], sequence) => ({
    ...{ sequence, at: at(seconds), change, peers },
  }));
}

function bundle(history: Partial<Bundle["history"]>, change: Partial<BundleParts> = {}): Bundle {
  const parts = exampleParts();
  const whole = { ...parts, ...change, history: { ...parts.history, ...history } };
  return readBundle(JSON.stringify(makeBundle(whole, { secrets: [], redact: [] })));
}

async function replay(from: Bundle, options: Partial<ReplayOptions> = {}) {
  const script = scriptOf(from);
  const run = new IncidentReplay(script, { seed: 1, ...options });
  const scenes: Scene[] = [await run.begin()];
  for await (const scene of run.play()) scenes.push(scene);
  return { script, scenes, end: await run.end(), cluster: run.cluster };
}

const cutAndBack = topology(
  [10, "parted", one, three],
  [10, "parted", two, three],
  [10, "gone", three],
  [40, "appeared", three],
  [40, "linked", one, three],
  [41, "linked", two, three],
);

describe("the replay of a bundle", () => {
  test("shows what a cut parts, which addresses are out of reach, and that it heals", async () => {
    const { script, scenes, end } = await replay(bundle({ topology: cutAndBack }));
    const [beginning, , cut] = scenes;
    const back = scenes.at(-1);
    expect(beginning?.beliefs.parts).toEqual([[1, 2, 3]]);
    expect(beginning?.beliefs.each.map(({ names }) => names)).toEqual([1, 1, 1]);
    expect(cut?.atMs).toBe(Date.parse(at(10)));
    expect(cut?.texts).toContain("bob and eve are parted");
    expect(cut?.beliefs.parts).toEqual([[1, 2], [3]]);
    const [ada, , eve] = cut?.beliefs.each ?? [];
    expect([...(ada?.stranded.values() ?? [])]).toEqual([0x5556]);
    expect([...(eve?.stranded.values() ?? [])]).toEqual([0x5555, 0x5555]);
    expect(eve?.names).toBe(0);
    expect(back?.beliefs.parts).toEqual([[1, 2, 3]]);
    expect(back?.beliefs.each.map(({ names }) => names)).toEqual([1, 1, 1]);
    expect([end.asTold, end.healing.isWhole]).toEqual([true, true]);
    expect(script.notes.join()).toContain("whether a host died or its cable did");
  });

  test("is the same with the same seed, and stops where it is told to", async () => {
    const from = bundle({ topology: cutAndBack });
    const [first, second] = [await replay(from, { seed: 9 }), await replay(from, { seed: 9 })];
    expect(second.scenes).toEqual(first.scenes);
    const stopped = await replay(from, { steps: 2 });
    expect(stopped.scenes).toHaveLength(3);
    expect([stopped.end.asTold, stopped.end.healing.isWhole]).toEqual([undefined, true]);
    const until = await replay(from, { untilMs: Date.parse(at(9)) });
    expect(until.scenes.at(-1)?.beliefs.parts).toEqual([[1, 2, 3]]);
  });

  test("begins without what came about later, and with what only came into sight", async () => {
    const records = topology(
      [0, "appeared", one],
      [5, "appeared", two],
      [5, "appeared", three],
      [5, "linked", one, two],
      [5, "linked", two, three],
      [30, "linked", one, three],
    );
    const { script, scenes } = await replay(bundle({ topology: records }));
    expect(script.links).toEqual([[2, 3]]);
    expect(scenes[0]?.beliefs.parts).toEqual([[2, 3], [1]]);
    expect(scenes.at(-1)?.beliefs.parts).toEqual([[1, 2, 3]]);
  });

  test("takes over the ranges of who is gone, and gets a part of those of who is not", async () => {
    const parts = exampleParts();
    const { IPAM } = parts.report;
    const [a, b] = IPAM!.Entries!;
    const Entries = [a!, b!, { Token: "10.32.170.170", Size: 0x5556, Peer: one, Version: 3 }];
    const { scenes, end } = await replay(
      bundle(
        {
          topology: topology(
            [10, "parted", one, three],
            [10, "parted", two, three],
            [10, "gone", three],
          ),
          owners: [
            {
              ...{ sequence: 9, at: at(30), first: "10.32.170.170", size: 0x5556 },
              ...{ from: three, to: one },
            },
          ],
        },
        { report: { ...parts.report, IPAM: { ...IPAM!, Entries } } },
      ),
    );
    const last = scenes.at(-1)!;
    expect(last.texts).toEqual([
      "ada has 21846 addresses of eve from 10.32.170.170 on, 21846 taken over",
    ]);
    expect(last.beliefs.each[0]?.stranded.size).toBe(0);
    // Until it hears of it, the one that was cut off believes otherwise.
    expect(last.beliefs.rings).toEqual([[1, 2], [3]]);
    expect([end.healing.isWhole, end.healing.scene.beliefs.rings]).toEqual([true, [[1, 2, 3]]]);
  });

  test("asks for a range that a peer was given, as that peer did", async () => {
    const owners = [
      { sequence: 1, at: at(30), first: "10.32.0.0", size: 4096, from: two, to: one },
    ];
    const { scenes, cluster } = await replay(bundle({ owners }));
    expect(scenes[0]?.beliefs.each[0]?.ring).toContain("10.32.0.0+4096 8a:00:00:00:00:02");
    expect(scenes.at(-1)?.texts[0]).toEndWith(", asked for by an allocation there");
    const ring = cluster.rings()[0]!;
    expect(ring).toMatch(/10\.32\.\d+\.\d+\+\d+ 8a:00:00:00:00:01/);
  });

  test("stops and starts the host that tells of it, also when it died without a word", async () => {
    const event = (id: number, seconds: number, kind: string) => ({
      ...{ id, at: at(seconds), kind, details: {} },
    });
    const events = [
      ...[event(1, 1, "host.mended"), event(2, 2, "router.stopping")],
      ...[event(3, 20, "router.started"), event(4, 40, "router.started")],
    ];
    const { scenes } = await replay(bundle({ topology: [] }, { events }));
    const stopped = scenes.find(({ texts }) => texts.includes("ada stops"));
    expect(stopped?.beliefs.parts).toEqual([[2, 3]]);
    expect(scenes.at(-1)?.texts).toEqual(["ada starts, and had ended without a word"]);
  });

  test("goes on without a ring that is not whole, and says so", async () => {
    const parts = exampleParts();
    const IPAM = { ...parts.report.IPAM!, Entries: parts.report.IPAM!.Entries!.slice(1) };
    const { script, end } = await replay(bundle({}, { report: { ...parts.report, IPAM } }));
    expect(script.notes.join()).toContain("the ring in it is not whole");
    expect(end.healing.isWhole).toBe(true);
  });

  test("refuses more peers than it can carry", () => {
    const records = Array.from(
      { length: 200 },
      (_, index): Topology => ({
        ...{ sequence: index, at: at(1), change: "appeared" },
        peers: [`00:00:00:00:01:${index.toString(16).padStart(2, "0")}`],
      }),
    );
    expect(() => scriptOf(bundle({ topology: records }))).toThrow("203 peers");
  });

  test("refuses what no router wrote, with a code, whatever it is", async () => {
    const text = JSON.stringify(bundle({ topology: cutAndBack }));
    const places = [...text.matchAll(/"[^"]*"|\d+|true|false|null/g)].map(({ index, 0: word }) => ({
      index,
      word,
    }));
    const odd = fc.constantFrom(
      '""',
      '"::1"',
      "0",
      "-1",
      "1e300",
      "4294967296",
      "null",
      "true",
      '"\\u0000"',
      '"2026"',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(places.length - 1), odd), { minLength: 1, maxLength: 4 }),
        async (edits) => {
          let edited = text;
          for (const [at, word] of edits.toSorted(([a], [b]) => b - a)) {
            const { index, word: before } = places[at]!;
            edited = edited.slice(0, index) + word + edited.slice(index + before.length);
          }
          try {
            const read = readBundle(edited.replace("{", '{"schema":"weave/incident/1",'));
            await replay(read, { steps: 2 });
          } catch (error) {
            if (!(error instanceof WeaveError)) throw error;
            expect(error.code).toStartWith("BUNDLE_");
          }
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  });
});
