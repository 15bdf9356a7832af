import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { ipv6IsNobody, isIpv6, writeIpv6Header } from "../../lib/wire/ipv6.ts";

test("a whole header of version 6 counts as IPv6", () => {
  const packet = new Uint8Array(40);
  expect(isIpv6(packet, 0, 40)).toBe(false);
  packet[0] = 0x60;
  expect(isIpv6(packet, 0, 40)).toBe(true);
  expect(isIpv6(packet, 0, 39)).toBe(false);
});

test("the header is written in network order", () => {
  const packet = new Uint8Array(8);
  writeIpv6Header(packet, 0, { payloadLength: 0x1234, nextHeader: 58, hopLimit: 64 });
  expect(packet.toHex()).toBe("6000000012343a40");
});

test("the unspecified address and groups are nobody in particular", () => {
  expect(ipv6IsNobody(new Uint8Array(16), 0)).toBe(true);
  expect(ipv6IsNobody(fromHex("ff020000000000000000000000000001"), 0)).toBe(true);
  expect(ipv6IsNobody(fromHex("fe800000000000000000000000000001"), 0)).toBe(false);
});
