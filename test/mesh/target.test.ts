import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { type Random, seededRandom } from "../../lib/base/random.ts";
import { Target } from "../../lib/mesh/target.ts";
import vectors from "../vectors/mesh/connections.json";
import { nameOf } from "./records.ts";

const endpoint = { host: "10.0.0.2", port: 6783 };
const refused = new WeaveError("DIAL_FAILED", "connection refused");
const lowest: Random = { fill: (into) => into.fill(0) };
const highest: Random = { fill: (into) => into.fill(255) };

describe("a target", () => {
  test("waits as long as the original's after each failure", () => {
    for (const random of [lowest, highest, seededRandom(1)]) {
      const target = new Target(endpoint, 0);
      let nowMs = 0;
      for (const step of vectors.backoff) {
        expect(target.intervalMs).toBeCloseTo(Number(step.intervalNanoseconds) / 1e6, 4);
        target.state = "attempting";
        target.ended(refused, nowMs, random);
        const delayS = (target.dueAtMs! - nowMs) / 1000;
        expect(delayS).toBeGreaterThanOrEqual(step.minDelaySeconds - 1e-6);
        expect(delayS).toBeLessThanOrEqual(step.maxDelaySeconds + 1e-6);
        if (random === lowest) expect(delayS).toBeCloseTo(step.minDelaySeconds, 5);
        if (random === highest) expect(delayS).toBeCloseTo(step.maxDelaySeconds, 5);
        expect(target.intervalMs).toBeCloseTo(Number(step.nextIntervalNanoseconds) / 1e6, 4);
        nowMs = target.dueAtMs!;
      }
    }
  });

  test("is tried at once after a connection that lasted", () => {
    const target = new Target(endpoint, 0);
    target.ended(refused, 0, lowest);
    target.state = "attempting";
    target.connected(nameOf(2));
    target.ended(refused, target.dueAtMs! + 60_001, lowest);
    expect(target.dueAtMs).toBe(1000 + 60_001);
    expect(target.intervalMs).toBe(2000);
  });

  test("backs off after a connection that did not last", () => {
    const target = new Target(endpoint, 0);
    target.connected(nameOf(2));
    target.ended(refused, 60_000, lowest);
    expect(target.dueAtMs).toBe(61_000);
    expect(target.intervalMs).toBe(3000);
  });

  test("that leads to ourselves or to our name is never tried again until asked for", () => {
    for (const code of ["CONNECT_SELF", "NAME_COLLISION"]) {
      const target = new Target(endpoint, 0);
      target.ended(new WeaveError(code, ""), 10, lowest);
      expect(target.dueAtMs).toBeUndefined();
      target.renew(20);
      expect(target.dueAtMs).toBe(20);
    }
  });
});
