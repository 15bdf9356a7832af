import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, readUint16, writeUint16 } from "../../../lib/base/bytes.ts";
import { bufferSize } from "../../../lib/overlay/sleeve/buffer-pool.ts";
import { fragment } from "../../../lib/overlay/sleeve/fragment.ts";
import { checksum } from "../../../lib/wire/checksum.ts";
import {
  ipv4Flags,
  ipv4HeaderLength,
  ipv4MoreFragments,
  ipv4OffsetMax,
  ipv4Seal,
} from "../../../lib/wire/ipv4.ts";
import vectors from "../../vectors/sleeve/fragments.json";
import { vectorBytes } from "../vectors.ts";

function fragments(bytes: Uint8Array, mtu: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const scratch = new Uint8Array(bufferSize).fill(0xee);
  const count = fragment({ bytes, at: 0, length: bytes.length }, mtu, scratch, (piece) => {
    pieces.push(piece.bytes.slice(piece.at, piece.at + piece.length));
  });
  expect(count).toBe(pieces.length);
  return pieces;
}

describe("a packet too big for the overlay is divided as the original does", () => {
  for (const vector of vectors.fragments) {
    test(vector.description, () => {
      const pieces = fragments(vectorBytes(vector.frame), vector.mtu);
      expect(pieces.map((piece) => piece.toHex())).toEqual(vector.segments);
    });
  }
});

function ipv4Frame(options: number, payload: Uint8Array, flags: number): Uint8Array {
  const header = 20 + options * 4;
  const frame = new Uint8Array(14 + header + payload.length);
  frame.set(fromHex("fe4100000002fe4100000001080045000000123400003f1100000a0201040a020107"));
  frame.fill(1, 34, 14 + header);
  frame[14] = 0x40 | (header / 4);
  writeUint16(frame, 16, header + payload.length);
  writeUint16(frame, 20, flags);
  ipv4Seal(frame, 14);
  frame.set(payload, 14 + header);
  return frame;
}

test("the fragments of any packet fit, and joined they are the packet", () => {
  const packets = fc.record({
    options: fc.nat(10),
    payload: fc.uint8Array({ minLength: 1, maxLength: 4000 }),
    mtu: fc.integer({ min: 68, max: 1500 }),
    offset: fc.nat(1000),
    more: fc.boolean(),
  });
  fc.assert(
    fc.property(packets, ({ options, payload, mtu, offset, more }) => {
      const frame = ipv4Frame(options, payload, offset | (more ? ipv4MoreFragments : 0));
      const joined = new Uint8Array(payload.length);
      const header = ipv4HeaderLength(frame, 14);
      const pieces = fragments(frame, mtu);
      let covered = 0;
      for (const [index, piece] of pieces.entries()) {
        const total = readUint16(piece, 16);
        const flags = ipv4Flags(piece, 14);
        const at = ((flags & ipv4OffsetMax) - offset) * 8;
        expect(piece.length).toBe(Math.max(60, 14 + total));
        expect(total).toBeLessThanOrEqual(mtu);
        expect(checksum(piece, 14, header)).toBe(0);
        expect(at).toBe(covered);
        const last = index === pieces.length - 1;
        expect((flags & ipv4MoreFragments) !== 0).toBe(!last || more);
        joined.set(piece.subarray(14 + header, 14 + total), at);
        covered += total - header;
      }
      expect(covered).toBe(payload.length);
      expect(joined).toEqual(payload);
    }),
    { seed: 1, numRuns: 300 },
  );
});

describe("a packet is not divided, and nothing beyond it is read", () => {
  const payload = new Uint8Array(2000).fill(7);

  test("when it claims more octets than the frame has", () => {
    const frame = ipv4Frame(0, payload, 0);
    writeUint16(frame, 16, 4000);
    expect(fragments(frame, 552)).toEqual([]);
  });

  test("when its fragments would lie beyond 64 KiB", () => {
    expect(fragments(ipv4Frame(0, payload, ipv4OffsetMax - 100), 552)).toEqual([]);
    expect(fragments(ipv4Frame(0, payload, ipv4OffsetMax - 250), 552)).not.toEqual([]);
  });

  test("when the MTU leaves no room for eight octets", () => {
    expect(fragments(ipv4Frame(0, payload, 0), 27)).toEqual([]);
    expect(fragments(ipv4Frame(10, payload, 0), 67)).toEqual([]);
  });
});

test("Ethernet padding behind the packet is left out", () => {
  const frame = new Uint8Array(1514);
  frame.set(ipv4Frame(0, new Uint8Array(100).fill(7), 0));
  expect(fragments(frame, 68).map((piece) => readUint16(piece, 16))).toEqual([68, 68, 24]);
});
