import { describe, expect, test } from "bun:test";
import { betweenRims, extraWidth, flowDots, strength } from "../../lib/ui/page/flow.ts";
import { flowOf, octetsText, rateText, TrafficLog, totalRate } from "../../lib/ui/page/traffic.ts";
import { link } from "./some-picture.ts";

const carried = (sentBytes: number, receivedBytes: number) =>
  link("a", "b", { traffic: { sentPackets: 0, sentBytes, receivedPackets: 0, receivedBytes } });

function log(...readings: ReadonlyArray<readonly [atMs: number, sent: number, received: number]>) {
  const traffic = new TrafficLog();
  for (const [atMs, sent, received] of readings) {
    traffic.note({ links: [carried(sent, received), link("b", "c")] }, atMs);
  }
  return traffic.rates;
}

describe("traffic", () => {
  test("is what was counted between two readings, in bits a second", () => {
    const rates = log([0, 1000, 0], [2000, 3000, 500], [3000, 3000, 750]);
    expect(rates.get("link a b")).toEqual([
      { sent: 8000, received: 2000 },
      { sent: 0, received: 2000 },
    ]);
    expect(rates.has("link b c")).toBe(false);
    expect(totalRate(rates)).toEqual({ sent: 0, received: 2000 });
  });

  test("is not known before a second reading, nor right after a link was made anew", () => {
    expect(log([0, 1000, 0]).get("link a b")).toEqual([]);
    expect(log([0, 1000, 0], [1000, 2000, 0], [2000, 10, 0]).get("link a b")).toEqual([]);
    expect(log([0, 1, 0], [0, 2, 0]).get("link a b")).toEqual([]);
  });

  test("is kept for a bounded time", () => {
    const readings = Array.from({ length: 500 }, (_, at) => [at * 1000, at, at] as const);
    expect(log(...readings).get("link a b")).toHaveLength(120);
  });

  test("goes from one end of a link to the other, whichever of them counts", () => {
    const rates = log([0, 0, 0], [1000, 10, 20]);
    expect(flowOf(carried(0, 0), "a", rates)).toEqual({ there: 80, back: 160 });
    expect(flowOf(carried(0, 0), "b", rates)).toEqual({ there: 160, back: 80 });
    expect(flowOf(link("b", "c"), "b", rates)).toBeUndefined();
  });

  test.each([
    [0, "0 bit/s"],
    [999, "999 bit/s"],
    [999.7, "1.00 kbit/s"],
    [12_340, "12.3 kbit/s"],
    [999_600_000, "1.00 Gbit/s"],
    [234_000_000, "234 Mbit/s"],
  ])("of %d bits a second reads %s", (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });

  test("that was carried is told in octets", () => {
    expect(octetsText(1_234_567)).toBe("1.23 MB");
  });
});

describe("what flows on a line", () => {
  const [from, to] = [
    { x: 0, y: 0 },
    { x: 200, y: 0 },
  ];

  test("is more where more goes over it, and nothing for the talk of routers", () => {
    const dots = (there: number) => flowDots(from, to, { there, back: 0 }, 0).length;
    expect([dots(100), dots(1e5) > 0, dots(1e9) > dots(1e5)]).toEqual([0, true, true]);
    expect([1e2, 1e4, 1e7, 1e10, 1e13].map(strength)).toEqual(
      [1e2, 1e4, 1e7, 1e10, 1e13].map(strength).sort((a, b) => a - b),
    );
    expect(strength(1e13)).toBe(1);
    expect(extraWidth(undefined)).toBe(0);
  });

  test("moves where it goes, each direction on a side of its own", () => {
    const at = (seconds: number) => flowDots(from, to, { there: 1e6, back: 0 }, seconds)[0]!;
    expect(at(0.2).x).toBeGreaterThan(at(0).x);
    const [back] = flowDots(from, to, { there: 0, back: 1e6 }, 0.2);
    expect(back!.x).toBeLessThan(200);
    expect(Math.sign(back!.y)).toBe(-Math.sign(at(0).y));
    for (const { x } of flowDots(from, to, { there: 1e9, back: 1e9 }, 12.3)) {
      expect(x).toBeWithin(0, 201);
    }
  });

  test("is between the rims of the circles that the line joins", () => {
    expect(betweenRims({ ...from, radius: 10 }, { ...to, radius: 20 })).toEqual([
      { x: 10, y: 0 },
      { x: 180, y: 0 },
    ]);
  });
});
