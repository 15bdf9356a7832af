import { describe, expect, test } from "bun:test";
import { ringUse } from "../../lib/ui/page/ring-use.ts";
import { some } from "./some-picture.ts";

const sketch = some({
  peers: ["alpha", "beta"],
  containers: [
    { peer: "alpha", name: "a", addresses: ["10.32.0.1/24", "10.32.0.200"] },
    { peer: "beta", name: "b", addresses: ["10.32.0.100"] },
    { peer: "beta", name: "c", addresses: ["10.32.0.100", "192.0.2.1", "fd00::1"] },
  ],
});
const ring = {
  ...{ range: "10.32.0.0/24", addresses: 256, active: 1 },
  parts: [
    { peer: "7a:beta", first: "10.32.0.192", size: 64 },
    { peer: "7a:alpha", first: "10.32.0.0", size: 100 },
    { peer: "7a:beta", first: "10.32.0.100", size: 92 },
  ],
};

describe("what is in use of the range", () => {
  test("are addresses of containers that are known, by whose range they are of", () => {
    expect(ringUse({ ...sketch, ring })).toEqual([
      { peer: "7a:alpha", owned: 100, used: 1 },
      { peer: "7a:beta", owned: 156, used: 2 },
    ]);
  });

  test("is at least what this host holds", () => {
    const [alpha] = ringUse({ ...sketch, ring: { ...ring, active: 7 } });
    expect(alpha!.used).toBe(7);
  });

  test("is nothing without a ring", () => {
    expect(ringUse(sketch)).toEqual([]);
  });
});
