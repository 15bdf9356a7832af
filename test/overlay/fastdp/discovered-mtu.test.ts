import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DiscoveredMtu } from "../../../lib/overlay/fastdp/discovered-mtu.ts";
import { mtuWithin } from "../../../lib/overlay/fastdp/link-mtu.ts";
import { loneWorld } from "../../sim/world.ts";

/** A path on which packets up to `carries` get through. */
function make(carries: number, own = 8950) {
  const { world, clock } = loneWorld();
  const path = {
    carries,
    asked: [] as number[],
    sizes: [] as number[],
    /** What others were told of the underlay. */
    told: [] as number[],
    answerMs: 2,
  };
  const mtu = new DiscoveredMtu({
    world,
    own,
    encrypted: false,
    ask(size) {
      path.asked.push(size);
      if (size <= path.carries) clock.after(path.answerMs, () => mtu.answered(size));
    },
    changed: () => path.sizes.push(mtu.limit),
    narrow: (pathMtu) => path.told.push(pathMtu),
  });
  return { mtu, path, clock, world };
}

describe("the MTU of a path", () => {
  test("is what containers have, with the first answer", () => {
    const { mtu, path, clock } = make(8950);
    expect(mtu).toMatchObject({ limit: 552, isFound: false });
    mtu.works(true);
    clock.run(10);
    expect(mtu).toMatchObject({ limit: 8950, isFound: true });
    expect(path.asked).toEqual([8950]);
  });

  test("is found whatever it is, and in use as soon as anything is known", () => {
    fc.assert(
      fc.property(fc.integer({ min: 552, max: 8950 }), (carries) => {
        const { mtu, path, clock } = make(carries);
        mtu.works(true);
        clock.run(20_000);
        expect(mtu.limit).toBe(carries);
        expect(path.sizes).toEqual(path.sizes.toSorted((a, b) => a - b));
        expect(path.asked.length).toBeLessThan(250);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test("goes down within ten seconds when the path shrinks without a word", () => {
    const { mtu, path, clock } = make(8950);
    mtu.works(true);
    clock.run(100_000);
    path.carries = 1350;
    clock.run(10_000);
    expect(mtu.limit).toBe(1350);
    expect(path.told).toEqual([1400]);
  });

  test("goes down all the same when the peer has become so slow that its answers come late", () => {
    const { mtu, path, clock } = make(8950);
    mtu.works(true);
    clock.run(100_000);
    path.carries = 1350;
    path.answerMs = 900;
    clock.run(20_000);
    expect(mtu.limit).toBe(1350);
    expect(path.told).toEqual([1400]);
  });

  test("goes up within two minutes when the path grows", () => {
    const { mtu, path, clock } = make(1350);
    mtu.works(true);
    clock.run(100_000);
    path.carries = 8950;
    clock.run(120_000);
    expect(mtu.limit).toBe(8950);
  });

  test("stays as it is while nothing at all is answered, and when single questions are lost", () => {
    const { mtu, path, clock } = make(8950);
    mtu.works(true);
    clock.run(20_000);
    path.sizes.length = 0;
    path.carries = 0;
    clock.run(60_000);
    path.carries = 8950;
    clock.run(20_000);
    expect(path.sizes).toEqual([]);
    expect(mtu.limit).toBe(8950);
  });

  test("costs a question in five seconds at rest, and some hundred a minute on a narrow path", () => {
    for (const [carries, most] of [
      [8950, 13],
      [1350, 250],
    ] as const) {
      const { mtu, path, clock } = make(carries);
      mtu.works(true);
      clock.run(60_000);
      path.asked.length = 0;
      clock.run(60_000);
      expect(path.asked.length).toBeLessThanOrEqual(most);
    }
  });

  test("is not asked for while heartbeats do not pass, nor when the link has ended", () => {
    const { mtu, path, clock, world } = make(8950);
    clock.run(20_000);
    expect(path.asked).toEqual([]);
    mtu.works(true);
    clock.run(20_000);
    mtu.works(false);
    path.asked.length = 0;
    clock.run(60_000);
    expect(path.asked).toEqual([]);
    mtu.works(true);
    clock.run(10_000);
    expect(path.asked).not.toEqual([]);
    mtu.stop();
    expect(world.timers).toBe(0);
  });
});

describe("the MTU inside a tunnel", () => {
  test("is what VXLAN leaves, and ESP, whose packets end at multiples of four octets", () => {
    expect([1500, 9000].map((underlay) => mtuWithin(underlay, false))).toEqual([1450, 8950]);
    expect([1460, 1500, 9000].map((underlay) => mtuWithin(underlay, true))).toEqual([
      1376, 1416, 8916,
    ]);
    expect([1501, 1502, 1503].map((underlay) => mtuWithin(underlay, true))).toEqual([
      1416, 1416, 1416,
    ]);
  });
});
