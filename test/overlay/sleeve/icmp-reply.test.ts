import { describe, expect, test } from "bun:test";
import { fromHex, readUint16, readUint32 } from "../../../lib/base/bytes.ts";
import {
  fragmentationNeeded,
  icmpReplyMax,
  packetTooBig,
} from "../../../lib/overlay/sleeve/icmp-reply.ts";
import { checksumAdd, checksumFinish } from "../../../lib/wire/checksum.ts";
import vectors from "../../vectors/sleeve/fragments.json";
import { vectorBytes } from "../vectors.ts";

describe("the sender of a too big IPv4 packet with DF is told as the original does", () => {
  for (const vector of vectors.icmp_frag_needed) {
    test(vector.description, () => {
      const bytes = vectorBytes(vector.frame);
      const into = new Uint8Array(icmpReplyMax).fill(0xee);
      const length = fragmentationNeeded({ bytes, at: 0, length: bytes.length }, vector.mtu, into);
      expect(into.subarray(0, length).toHex()).toBe(vector.reply);
    });
  }

  test("quoting no more than there is", () => {
    const bytes = vectorBytes(vectors.icmp_frag_needed[0]!.frame).slice(0, 14 + 24);
    const length = fragmentationNeeded(
      { bytes, at: 0, length: bytes.length },
      68,
      new Uint8Array(icmpReplyMax),
    );
    expect(length).toBe(14 + 20 + 8 + 24);
  });
});

describe("the sender of a too big IPv6 packet", () => {
  const source = "fe800000000000000000000000000001";
  const destination = "fe800000000000000000000000000002";
  const frameOf = (nextHeader: string, from = source, payload = 1460): Uint8Array => {
    const head = fromHex(
      `02000000000202000000000186dd6000000005b4${nextHeader}40${from}${destination}`,
    );
    const bytes = new Uint8Array(head.length + payload).fill(0x80);
    bytes.set(head);
    return bytes;
  };
  const reply = (bytes: Uint8Array, mtu: number): Uint8Array => {
    const into = new Uint8Array(icmpReplyMax);
    return into.slice(0, packetTooBig({ bytes, at: 0, length: bytes.length }, mtu, into));
  };

  test("is told the MTU by the address it wrote to, in a packet that always fits", () => {
    const told = reply(frameOf("06"), 1414);
    expect(told.subarray(0, 14).toHex()).toBe("02000000000102000000000286dd");
    expect(told.subarray(22, 38).toHex()).toBe(destination);
    expect(told.subarray(38, 54).toHex()).toBe(source);
    expect(told.length).toBe(14 + 1280);
    expect(readUint16(told, 18)).toBe(1240);
    expect(readUint16(told, 54)).toBe(0x0200);
    expect(readUint32(told, 58)).toBe(1414);
    const pseudoHeader = checksumAdd(1240 + 58, told, 22, 32);
    expect(checksumFinish(checksumAdd(pseudoHeader, told, 54, 1240))).toBe(0);
  });

  test("is never told less than IPv6 guarantees", () => {
    expect(readUint32(reply(frameOf("06"), 552), 58)).toBe(1280);
  });

  test("is not told about its own error messages, but about its pings", () => {
    const error = frameOf("3a");
    error[54] = 1;
    expect(reply(error, 1414).length).toBe(0);
    expect(reply(frameOf("3a"), 1414).length).toBeGreaterThan(0);
  });

  test("is not told when it is nobody in particular", () => {
    expect(reply(frameOf("06", "00".repeat(16)), 1414).length).toBe(0);
    expect(reply(frameOf("06", `ff02${"00".repeat(14)}`), 1414).length).toBe(0);
  });
});
