import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatMac, isGroupMac, readMac, tryParseMac, writeMac } from "../../lib/wire/ethernet.ts";

test("a MAC address reads back from the wire and from text", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (mac) => {
      const bytes = new Uint8Array(8);
      writeMac(bytes, 1, mac);
      expect(readMac(bytes, 1)).toBe(mac);
      expect(tryParseMac(formatMac(mac))).toBe(mac);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("MAC addresses are written with colons and leading zeros", () => {
  expect(formatMac(0x0180c2000000)).toBe("01:80:c2:00:00:00");
});

test("text that is no MAC address is refused", () => {
  for (const text of [
    "",
    "01:80:c2:00:00",
    "01-80-c2-00-00-00",
    "g1:80:c2:00:00:00",
    "0180c2000000",
  ]) {
    expect(tryParseMac(text)).toBeUndefined();
  }
});

test("an address is a group's when the last bit of its first octet is set", () => {
  for (const group of [0xffffffffffff, 0x0180c2000000, 0x01005e000001, 0x333300000001]) {
    expect(isGroupMac(group)).toBe(true);
  }
  for (const single of [0, 0xfeffffffffff, 0x020000000001]) expect(isGroupMac(single)).toBe(false);
});
