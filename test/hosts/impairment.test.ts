import { describe, expect, test } from "bun:test";
import { frameOf, ipv4Frame } from "../overlay/sleeve/fake-net.ts";
import { Impairment, type Impairments, queueMaxFrames } from "./impairment.ts";

const [m1, m2] = [0xfe4100000001, 0xfe4100000002];

/** What comes out, and when, of frames that enter one each millisecond. */
function through(impairments: Impairments, frames: readonly Uint8Array[], seed = 1) {
  const back: Uint8Array[] = [];
  const way = new Impairment(seed, (frame) => back.push(frame));
  way.impairments = impairments;
  const out: { atMs: number; frame: Uint8Array }[] = [];
  for (let atMs = 0; atMs < frames.length || way.nextMs < Number.POSITIVE_INFINITY; atMs++) {
    const frame = frames[atMs];
    if (frame !== undefined) way.offer(frame, atMs);
    way.deliver(atMs, (delivered) => out.push({ atMs, frame: delivered }));
  }
  return { out, back };
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, number) => frameOf(m2, m1, { length: 60 + number }));
const numbersOf = ({ out }: ReturnType<typeof through>) =>
  out.map(({ frame }) => frame.length - 60);

describe("a bad cable", () => {
  test("that is good passes everything at once and in order", () => {
    const { out } = through({}, numbered(50));
    expect(out.map(({ atMs, frame }) => [atMs, frame.length - 60])).toEqual(
      Array.from({ length: 50 }, (_, at) => [at, at]),
    );
  });

  test("loses and repeats the asked share, the same for the same seed", () => {
    const lost = through({ loss: 0.05 }, numbered(4000));
    expect(lost.out.length / 4000).toBeCloseTo(0.95, 1);
    expect(numbersOf(lost)).toEqual(numbersOf(through({ loss: 0.05 }, numbered(4000))));
    expect(numbersOf(lost)).not.toEqual(numbersOf(through({ loss: 0.05 }, numbered(4000), 2)));
    expect(through({ duplication: 0.5 }, numbered(4000)).out.length / 6000).toBeCloseTo(1, 1);
  });

  test("delays in order, and with jitter out of order", () => {
    const delayed = through({ delayMs: 20 }, numbered(50));
    expect(delayed.out.map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 20),
    );
    const shaken = numbersOf(through({ delayMs: 5, jitterMs: 10 }, numbered(200)));
    expect(shaken).not.toEqual(shaken.toSorted((a, b) => a - b));
    expect(shaken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, at) => at));
  });

  test("divides what is too big, or refuses it and says so", () => {
    const free = through({ mtu: 1280 }, [ipv4Frame(m2, m1, { packet: 1500 })]);
    expect(free.out.map(({ frame }) => frame.length)).toEqual([14 + 1276, 14 + 244]);
    const whole = ipv4Frame(m2, m1, { packet: 1500, df: true });
    const refused = through({ mtu: 1280 }, [whole]);
    expect(refused.out).toEqual([]);
    expect(refused.back.map((frame) => frame.subarray(34, 42).toHex().slice(0, 4))).toEqual([
      "0304",
    ]);
    expect(through({ mtu: 1280, tells: false }, [whole])).toEqual({ out: [], back: [] });
    expect(through({ mtu: 1500 }, [whole]).out).toHaveLength(1);
  });

  test("swallows what is above its hole", () => {
    const frames = [1200, 1300, 1400].map((packet) => ipv4Frame(m2, m1, { packet }));
    expect(through({ holeAbove: 1300 }, frames).out.map(({ frame }) => frame.length)).toEqual([
      1214, 1314,
    ]);
  });

  test("holds so many frames and no more", () => {
    const way = new Impairment(1, () => {});
    way.impairments = { delayMs: 1 };
    for (let count = 0; count < queueMaxFrames + 5; count++) way.offer(frameOf(m2, m1), 0);
    let delivered = 0;
    way.deliver(1, () => delivered++);
    expect(delivered).toBe(queueMaxFrames);
  });
});
