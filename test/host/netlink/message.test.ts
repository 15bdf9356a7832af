import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { errorCode } from "../../../lib/base/errors.ts";
import { gratuitousArp } from "../../../lib/host/gratuitous-arp.ts";
import {
  Attributes,
  decodeMessages,
  encodeMessage,
  flags,
  nested,
  text,
  uint8,
  uint32,
  uint32BigEndian,
} from "../../../lib/host/netlink/message.ts";

describe("netlink messages", () => {
  test("carry length, type, flags and sequence before a padded body", () => {
    const bytes = encodeMessage(18, flags.request | flags.dump, 7, Uint8Array.of(1, 2, 3, 4, 5));
    expect(bytes.toHex()).toBe("150000001200010307000000000000000102030405000000");
    expect(decodeMessages(bytes)).toEqual([
      { type: 18, flags: 0x301, sequence: 7, body: Uint8Array.of(1, 2, 3, 4, 5) },
    ]);
  });

  test("hold attributes of every kind, nested and repeated", () => {
    const bytes = nested(
      5,
      text(1, "weave"),
      uint8(2, 200),
      uint32(3, 0xfffefdfc),
      uint32BigEndian(4, 100),
      uint32(3, 1),
    );
    const inner = new Attributes(bytes).nested(5);
    expect(inner.text(1)).toBe("weave");
    expect(inner.uint8(2)).toBe(200);
    expect(inner.uint32(3)).toBe(0xfffefdfc);
    expect(inner.uint32BigEndian(4)).toBe(100);
    expect(inner.all(3)).toHaveLength(2);
    expect(inner.text(9)).toBeUndefined();
    expect(inner.nested(9).bytes(1)).toBeUndefined();
  });

  test("with any octets decode or are refused, and never read beyond their end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decode of [() => decodeMessages(bytes), () => new Attributes(bytes)]) {
          try {
            decode();
          } catch (error) {
            expect(errorCode(error)).toBe("NETLINK_FORMAT");
          }
        }
      }),
      { seed: 1, numRuns: 20_000 },
    );
  });
});

describe("a gratuitous ARP", () => {
  test("is a request for one's own address, to everybody", () => {
    const mac = Uint8Array.fromHex("8a3e3e3e3e3e");
    expect(gratuitousArp(mac, Uint8Array.of(10, 32, 0, 1)).toHex()).toBe(
      "ffffffffffff8a3e3e3e3e3e0806" + "00010800060400018a3e3e3e3e3e0a2000010000000000000a200001",
    );
  });
});
