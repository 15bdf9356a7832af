import { describe, expect, test } from "bun:test";
import { toHex, writeUint16 } from "../../../lib/base/bytes.ts";
import {
  fragmentationTestSize,
  heartbeatFrame,
  mtuTestable,
  mtuTested,
  pathMtuTriggerSize,
  specialKind,
} from "../../../lib/overlay/sleeve/special-frame.ts";
import { ethernetHeaderSize } from "../../../lib/wire/ethernet.ts";
import vectors from "../../vectors/sleeve/special-frames.json";
import { type VectorBytes, vectorBytes } from "../vectors.ts";

const kinds: Readonly<Record<string, string>> = {
  heartbeat: "heartbeat",
  "mtu test": "mtuTest",
  "fragmentation test": "fragmentationTest",
  "fragmentation test, ignored because not all zero": "spoilt",
  "not special": "ordinary",
  "dropped: not decodable": "runt",
};

describe("a frame of a peer", () => {
  for (const vector of vectors.cases) {
    test(`is told apart: ${vector.description}`, () => {
      const frame = vectorBytes(vector.frame as VectorBytes);
      const kind = frame.length < ethernetHeaderSize ? "runt" : specialKind(frame, 0, frame.length);
      expect(frame.length).toBe(vector.len);
      expect(kind ?? "ordinary").toBe(kinds[vector.kind]!);
      if (vector.ack_payload === undefined) return;
      const answer = new Uint8Array(2);
      writeUint16(answer, 0, mtuTested(frame.length));
      expect(toHex(answer)).toBe(vector.ack_payload);
    });
  }

  test("is looked at where it lies in the buffer", () => {
    const buffer = new Uint8Array(200).fill(1);
    buffer.fill(0, 50, 150);
    expect(specialKind(buffer, 50, 100)).toBe("mtuTest");
    expect(specialKind(buffer, 50, 101)).toBe("spoilt");
    expect(specialKind(buffer, 49, 100)).toBeUndefined();
  });
});

test("a heartbeat carries the uid of the connection", () => {
  expect(heartbeatFrame(0x0123456789abcdefn).toHex()).toBe(`${"00".repeat(14)}0123456789abcdef`);
  expect(specialKind(heartbeatFrame(5n), 0, 22)).toBe("heartbeat");
});

test("no MTU test is made that would be taken for something else", () => {
  expect([8, 59_987].map(mtuTestable)).toEqual([false, false]);
  expect([7, 9, 552, 1438, 59_986].every(mtuTestable)).toBe(true);
  expect(fragmentationTestSize).toBe(60_001);
  expect(pathMtuTriggerSize).toBe(60_000);
});
