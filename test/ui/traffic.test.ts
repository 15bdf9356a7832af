import { describe, expect, test } from "bun:test";
import type { Picture, PictureLink } from "../../lib/api/picture-models.ts";
import { betweenRims, extraWidth, flowDots, strength } from "../../lib/ui/page/flow.ts";
import {
  flowOf,
  octetsText,
  rateAt,
  rateText,
  TrafficLog,
  totalRate,
} from "../../lib/ui/page/traffic.ts";
import { end, link, some } from "./some-picture.ts";

const counted = (sentBytes: number, receivedBytes: number) => ({
  traffic: { sentPackets: 0, sentBytes, receivedPackets: 0, receivedBytes },
});
const carried = (sentBytes: number, receivedBytes: number) =>
  link("a", "b", counted(sentBytes, receivedBytes));

/** What `a` shows of its link with `b`, and of one of others that nobody tells of. */
const shown = (sentBytes: number, receivedBytes: number): Picture => ({
  ...{ ...some({ peers: [] }), self: "a" },
  links: [carried(sentBytes, receivedBytes), link("b", "c")],
});

/** What `a` shows of a link of others, of which ends have told at some time. */
function told(ends: PictureLink["ends"], countedMs: number): Picture {
  const at = "2026-01-02T15:04:05.000Z";
  const peers = ["b", "c"].map((name) => ({
    ...{ name, nickname: name, reached: true, told: { at, countedMs } },
  }));
  return { ...some({ peers: [] }), self: "a", peers, links: [{ ...link("b", "c"), ends }] };
}

function log(...readings: ReadonlyArray<readonly [atMs: number, sent: number, received: number]>) {
  const traffic = new TrafficLog();
  for (const [atMs, sent, received] of readings) traffic.note(shown(sent, received), atMs);
  return traffic.rates;
}

describe("traffic", () => {
  test("is what was counted between two readings, in bits a second", () => {
    const rates = log([0, 1000, 0], [2000, 3000, 500], [3000, 3000, 750]);
    expect(rates.get("link a b")).toEqual([
      { there: 8000, back: 2000 },
      { there: 0, back: 2000 },
    ]);
    expect(rates.has("link b c")).toBe(false);
    expect(totalRate(shown(0, 0), rates)).toEqual({ sent: 0, received: 2000 });
  });

  test("is not known before a second reading, nor right after a link was made anew", () => {
    expect(log([0, 1000, 0]).get("link a b")).toEqual([]);
    expect(log([0, 1000, 0], [1000, 2000, 0], [2000, 10, 0]).get("link a b")).toEqual([]);
    expect(log([0, 1, 0], [0, 2, 0]).get("link a b")).toEqual([]);
    expect(totalRate(shown(0, 0), log([0, 1000, 0]))).toBeUndefined();
  });

  test("is kept for a bounded time", () => {
    const readings = Array.from({ length: 500 }, (_, at) => [at * 1000, at, at] as const);
    expect(log(...readings).get("link a b")).toHaveLength(120);
    const traffic = new TrafficLog();
    for (let at = 0; at < 500; at++) traffic.note(told({ from: end(counted(at, at)) }, at), at);
    expect(traffic.rates.get("link b c")).toHaveLength(24);
  });

  test("goes from one end of a link to the other, and is sent by the one and received by the other", () => {
    const rates = log([0, 0, 0], [1000, 10, 20]);
    const flow = flowOf(carried(0, 0), rates)!;
    expect(flow).toEqual({ there: 80, back: 160 });
    expect(rateAt("a", carried(0, 0), flow)).toEqual({ sent: 80, received: 160 });
    expect(rateAt("b", carried(0, 0), flow)).toEqual({ sent: 160, received: 80 });
    expect(flowOf(link("b", "c"), rates)).toBeUndefined();
  });

  test("of others is as one end counts it, by that host's clock, however often it is looked at", () => {
    const traffic = new TrafficLog();
    const note = (ends: PictureLink["ends"], countedMs: number, atMs: number) =>
      traffic.note(told(ends, countedMs), atMs);
    note({ to: end(counted(1000, 0)) }, 70_000, 0);
    note({ to: end(counted(1000, 0)) }, 70_000, 2000);
    note({ from: end(counted(0, 0)), to: end(counted(2000, 500)) }, 74_000, 4100);
    note({ from: end(counted(0, 0)), to: end(counted(2000, 500)) }, 74_000, 6100);
    expect(traffic.rates.get("link b c")).toEqual([{ there: 1000, back: 2000 }]);
    // The other end counts on: from there all begins anew.
    note({ from: end(counted(7, 7)) }, 79_000, 8100);
    expect(traffic.rates.get("link b c")).toEqual([]);
    note({ from: end(counted(132, 7)) }, 80_000, 9100);
    expect(traffic.rates.get("link b c")).toEqual([{ there: 1000, back: 0 }]);
    expect(totalRate(told({}, 0), traffic.rates)).toBeUndefined();
    note({}, 81_000, 9900);
    expect(traffic.rates.size).toBe(0);
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
