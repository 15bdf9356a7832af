import { describe, expect, test } from "bun:test";
import { formatIp } from "../../lib/base/ip.ts";
import { tableAddress } from "../../lib/host/half-open.ts";

describe("an address as the kernel's tables write it", () => {
  for (const [what, text, order, address] of [
    ["IPv4 on a little-endian machine", "024DA8C0", "LE", "192.168.77.2"],
    ["IPv4 on a big-endian machine", "C0A84D02", "BE", "192.168.77.2"],
    ["IPv4 at a socket for both", "0000000000000000FFFF0000024DA8C0", "LE", "192.168.77.2"],
    ["IPv6", "000077FD000000000000000002000000", "LE", "fd77::2"],
    ["IPv6 on a big-endian machine", "FD770000000000000000000000000002", "BE", "fd77::2"],
  ] as const) {
    test(`of ${what}`, () => {
      expect(formatIp(tableAddress(text, order))).toBe(address);
    });
  }
});
