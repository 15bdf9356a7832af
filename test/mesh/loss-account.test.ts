import { describe, expect, test } from "bun:test";
import { LossAccount, shareLost } from "../../lib/mesh/loss-account.ts";

test("a share is told of a hundred frames or more", () => {
  expect(shareLost({ frames: 99, lost: 1 })).toBeUndefined();
  expect(shareLost({ frames: 200, lost: 1 })).toBe(0.005);
});

describe("an account of losses", () => {
  test("begins with whatever was lost before", () => {
    const account = new LossAccount();
    expect(account.update({ least: 50, most: 70, frames: 1000 }).lost).toBe(0);
    expect(account.update({ least: 70, most: 70, frames: 100 }).lost).toBe(0);
    expect(account.update({ least: 73, most: 75, frames: 100 }).lost).toBe(3);
  });

  test("tells each loss once, as soon as nothing under way can hide it", () => {
    const account = new LossAccount();
    const lost = [
      [0, 0],
      [-500, 900],
      [40, 900],
      [-500, 900],
      [100, 100],
      [100, 100],
    ].map(([least, most]) => account.update({ least: least!, most: most!, frames: 1000 }).lost);
    expect(lost).toEqual([0, 0, 40, 0, 60, 0]);
  });

  test("finds losses again after frames came twice, or late", () => {
    const account = new LossAccount();
    account.update({ least: 0, most: 0, frames: 0 });
    account.update({ least: -20, most: -20, frames: 100 });
    expect(account.update({ least: -15, most: -15, frames: 100 }).lost).toBe(5);
  });

  test("tells of no more losses than frames", () => {
    const account = new LossAccount();
    account.update({ least: 0, most: 0, frames: 0 });
    expect(account.update({ least: 1e15, most: 1e15, frames: 7 })).toEqual({ frames: 7, lost: 7 });
  });

  test("begins anew when it is told to", () => {
    const account = new LossAccount();
    account.update({ least: 0, most: 0, frames: 0 });
    account.restart();
    expect(account.update({ least: 500, most: 500, frames: 500 }).lost).toBe(0);
  });
});
