import { expect, test } from "bun:test";
import { lostText, shareText } from "../../lib/base/share-text.ts";

test("shares have two digits that count", () => {
  const shares = [0, 0.000_01, 0.0001, 0.002_51, 0.0999, 0.25, 1];
  expect(shares.map(shareText)).toEqual([
    ...["0 %", "< 0.01 %", "0.01 %", "0.25 %", "10 %", "25 %", "100 %"],
  ]);
});

test("what is too little for a share is told in numbers", () => {
  expect(lostText({ frames: 20, lost: 1, share: null })).toBe("1 of 20");
  expect(lostText({ frames: 200, lost: 1, share: 0.005 })).toBe("0.5 %");
});
