import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { decodeEchoReply, encodeEchoRequest } from "../../lib/wire/icmp-echo.ts";

describe("an ICMP echo request", () => {
  test("has the bytes of RFC 792", () => {
    const request = encodeEchoRequest({ identifier: 0x1234, sequence: 1 }, 4);
    expect(toHex(request)).toBe("0800d3b61234000108090a0b");
  });
});

describe("an ICMP echo reply", () => {
  const reply = fromHex("0000dbb61234000108090a0b");

  test("names the request it answers", () => {
    expect(decodeEchoReply(reply)).toEqual({ identifier: 0x1234, sequence: 1 });
  });

  test("is not taken when damaged, short, or another message", () => {
    expect(decodeEchoReply(reply.with(11, 0))).toBeUndefined();
    expect(decodeEchoReply(reply.subarray(0, 7))).toBeUndefined();
    expect(decodeEchoReply(encodeEchoRequest({ identifier: 1, sequence: 1 }, 0))).toBeUndefined();
    expect(decodeEchoReply(new Uint8Array(0))).toBeUndefined();
  });
});
