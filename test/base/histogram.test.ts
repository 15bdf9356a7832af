import { expect, test } from "bun:test";
import { addHistograms, Histogram } from "../../lib/base/histogram.ts";

test("a histogram counts each value in the first range whose bound is not below it", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11, 1000]) histogram.observe(value);
  expect(histogram.read()).toEqual({ bounds: [1, 10], counts: [2, 2, 2], sum: 1023.5, count: 6 });
});

test("a reading stays as it was, and two of the same bounds are one", () => {
  const histogram = new Histogram([1]);
  histogram.observe(0.5);
  const before = histogram.read();
  histogram.observe(2);
  expect(before.counts).toEqual([1, 0]);
  expect(addHistograms(before, histogram.read())).toEqual({
    ...{ bounds: [1], counts: [2, 1], sum: 3, count: 3 },
  });
});
