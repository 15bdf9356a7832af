import { expect, test } from "bun:test";
import { checksum, checksumAdd, checksumFinish } from "../../lib/wire/checksum.ts";
import { writeFragmentationNeeded, writePacketTooBig } from "../../lib/wire/icmp.ts";

test("fragmentation needed carries the next-hop MTU in its last 16 bits and verifies", () => {
  const bytes = new Uint8Array(60).fill(0xab);
  writeFragmentationNeeded(bytes, 10, { length: 36, mtu: 1438 });
  expect(bytes.subarray(10, 12).toHex()).toBe("0304");
  expect(bytes.subarray(14, 18).toHex()).toBe("0000059e");
  expect(checksum(bytes, 10, 36)).toBe(0);
  expect(bytes.subarray(18).every((octet) => octet === 0xab)).toBe(true);
});

test("packet too big carries the MTU in 32 bits and verifies with its addresses", () => {
  const bytes = new Uint8Array(100).fill(0xcd);
  writePacketTooBig(bytes, 40, { length: 50, mtu: 1280, addressesAt: 8 });
  expect(bytes.subarray(40, 42).toHex()).toBe("0200");
  expect(bytes.subarray(44, 48).toHex()).toBe("00000500");
  const pseudoHeader = checksumAdd(50 + 58, bytes, 8, 32);
  expect(checksumFinish(checksumAdd(pseudoHeader, bytes, 40, 50))).toBe(0);
});
