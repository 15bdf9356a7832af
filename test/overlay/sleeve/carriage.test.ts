import { describe, expect, test } from "bun:test";
import { fromHex } from "../../../lib/base/bytes.ts";
import { carriage, packetKind } from "../../../lib/overlay/sleeve/carriage.ts";
import specials from "../../vectors/sleeve/special-frames.json";
import { type VectorBytes, vectorBytes } from "../vectors.ts";

const settled = { mtu: 1438, ceiling: 1438, stackFragments: false };
const searching = { mtu: 552, ceiling: 1438, stackFragments: false };
const fragmenting = { ...settled, stackFragments: true };
const fits = 1438 + 14;
const tooBig = fits + 1;

describe("IPv4 with DF", () => {
  test("goes out with DF up to the MTU", () => {
    expect(carriage("ipv4Df", fits, settled, false)).toBe("df");
    expect(carriage("ipv4Df", fits, fragmenting, true)).toBe("df");
  });
  test("above it is refused, even where fragments get through", () => {
    expect(carriage("ipv4Df", tooBig, settled, false)).toBe("refuse");
    expect(carriage("ipv4Df", tooBig, fragmenting, false)).toBe("refuse");
  });
  test("above it is dropped when flooded, for nobody could be told", () => {
    expect(carriage("ipv4Df", tooBig, settled, true)).toBe("drop");
  });
  test("may be fragmented by the stack while nothing is known of the path", () => {
    expect(carriage("ipv4Df", 566, searching, false)).toBe("df");
    expect(carriage("ipv4Df", 567, searching, false)).toBe("whole");
    expect(carriage("ipv4Df", fits, searching, false)).toBe("whole");
    expect(carriage("ipv4Df", tooBig, searching, false)).toBe("refuse");
  });
});

describe("IPv4 without DF", () => {
  test("goes whole where the stack's fragments get through", () => {
    expect(carriage("ipv4", 100, fragmenting, false)).toBe("whole");
    expect(carriage("ipv4", 9000, fragmenting, true)).toBe("whole");
  });
  test("is divided by us where they do not", () => {
    expect(carriage("ipv4", fits, settled, false)).toBe("df");
    expect(carriage("ipv4", tooBig, settled, false)).toBe("split");
    expect(carriage("ipv4", tooBig, settled, true)).toBe("split");
    expect(carriage("ipv4", 567, searching, false)).toBe("split");
  });
});

describe("IPv6", () => {
  test("goes whole up to the MTU, and always up to 1280", () => {
    expect(carriage("ipv6", fits, settled, false)).toBe("whole");
    expect(carriage("ipv6", 1280 + 14, { ...settled, mtu: 552, ceiling: 552 }, false)).toBe(
      "whole",
    );
  });
  test("above it is refused, or flooded whole", () => {
    expect(carriage("ipv6", tooBig, settled, false)).toBe("refuse");
    expect(carriage("ipv6", tooBig, settled, true)).toBe("whole");
  });
});

test("anything else goes whole, whatever its size", () => {
  for (const limits of [settled, searching, fragmenting]) {
    expect(carriage("other", 9000, limits, false)).toBe("whole");
  }
});

describe("a frame is looked at as the original does", () => {
  for (const vector of specials.cases) {
    const bytes = vectorBytes(vector.frame as VectorBytes);
    if (bytes.length < 14) continue;
    test(`${vector.description}: ${vector.layers_decoded} layers`, () => {
      const ipv4 = packetKind(bytes, 0, bytes.length).startsWith("ipv4");
      expect(ipv4).toBe(vector.layers_decoded === 2);
    });
  }

  test("DF is told from the flags, IPv6 from type and version", () => {
    const kind = (hex: string) => packetKind(fromHex(hex), 0, hex.length / 2);
    const ip = "fe4100000002fe410000000108004500001400010000ff1100000a0201040a020107";
    expect(kind(ip)).toBe("ipv4");
    expect(kind(ip.replace("00010000ff", "00014000ff"))).toBe("ipv4Df");
    expect(kind(`${"00".repeat(12)}86dd6${"0".repeat(79)}`)).toBe("ipv6");
    expect(kind(`${"00".repeat(12)}86dd4${"0".repeat(79)}`)).toBe("other");
  });
});
