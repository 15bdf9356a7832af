import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Segmenter } from "../../../lib/overlay/offload/segmenter.ts";
import { finishChecksum } from "../../../lib/overlay/offload/unfinished-checksum.ts";
import type { FrameOffload } from "../../../lib/wire/virtio-net-header.ts";
import { anyPacket, frameOf, noise, type Packet, piecesOf, unfinished } from "./frames.ts";

const segmenter = new Segmenter();
/** The super-frame lies in the middle of a buffer whose other octets must stay as they are. */
const around = 100;
const mark = 0xa5;

function cut(bytes: Uint8Array, offload: FrameOffload, takeMax = Number.POSITIVE_INFINITY) {
  const room = new Uint8Array(bytes.length + 2 * around).fill(mark);
  room.set(bytes, around);
  const pieces: Uint8Array[] = [];
  const count = segmenter.cut(room, around, bytes.length, offload, (from, at, length) => {
    pieces.push(from.slice(at, at + length));
    return pieces.length < takeMax;
  });
  expect(count).toBe(pieces.length);
  expect(room.subarray(0, around).every((octet) => octet === mark)).toBe(true);
  expect(room.subarray(around + bytes.length).every((octet) => octet === mark)).toBe(true);
  return pieces;
}

const tcp: Packet = { isIpv6: false, isTcp: true, payload: noise(5000, 1) };

describe("a super-frame", () => {
  test("becomes the frames that a network card would send, whatever protocol and sizes", () => {
    fc.assert(
      fc.property(anyPacket, ({ packet, segmentSize }) => {
        const { bytes, offload } = unfinished(packet, segmentSize);
        expect(cut(bytes, offload)).toEqual(piecesOf(packet, segmentSize));
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  test("of segments shorter than their headers is cut as well", () => {
    const { bytes, offload } = unfinished({ ...tcp, payload: noise(600, 3) }, 7);
    expect(cut(bytes, offload)).toEqual(piecesOf({ ...tcp, payload: noise(600, 3) }, 7));
  });

  test("with options of IPv4 keeps them in every piece", () => {
    const packet = { ...tcp, packetOptions: "94040000" };
    const { bytes, offload } = unfinished(packet, 1386);
    expect(cut(bytes, offload)).toEqual(piecesOf(packet, 1386));
  });

  test("announces less congestion once, and ends once", () => {
    const { bytes, offload } = unfinished({ ...tcp, flags: 0x99 }, 2000);
    const flags = cut(bytes, offload).map((piece) => piece[14 + 20 + 13]);
    expect(flags).toEqual([0x90, 0x10, 0x19]);
  });

  test("is left when its taker wants no more", () => {
    const { bytes, offload } = unfinished(tcp, 500);
    expect(cut(bytes, offload, 1)).toHaveLength(1);
  });

  test("that contradicts its description is refused whole", () => {
    const { bytes, offload } = unfinished(tcp, 1000);
    const wrong: Partial<FrameOffload>[] = [
      { kind: 3 },
      { kind: 4 },
      { kind: 5 },
      { kind: 0 },
      { segmentSize: 0 },
      { segmentSize: 2 },
      { checksumFrom: 0 },
      { checksumFrom: 33 },
      { checksumFrom: 60_000 },
    ];
    for (const each of wrong) expect(cut(bytes, { ...offload, ...each })).toEqual([]);
    for (const length of [0, 13, 14, 33, 34, 53, 60]) {
      expect(cut(bytes.subarray(0, length), offload)).toEqual([]);
    }
  });

  test("with hostile headers never touches what lies around it", () => {
    const spoilt = fc.record({
      base: anyPacket,
      changes: fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
      kind: fc.constantFrom(1, 4, 5, 3, 127),
      size: fc.nat(0xffff),
      from: fc.oneof(fc.nat(0xffff), fc.constantFrom(34, 54, 38)),
      length: fc.nat(300),
    });
    fc.assert(
      fc.property(spoilt, ({ base, changes, kind, size, from, length }) => {
        const { bytes, offload } = unfinished(base.packet, base.segmentSize);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        cut(bytes, { ...offload, segmentSize: size });
        cut(bytes.slice(0, length), { ...offload, kind });
        cut(bytes, { kind, segmentSize: size, checksumFrom: from, checksumField: size });
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});

describe("an unfinished checksum", () => {
  test("is finished for TCP and UDP of both versions", () => {
    fc.assert(
      fc.property(anyPacket, ({ packet }) => {
        const { bytes, offload } = unfinished(packet, 0);
        expect(finishChecksum(bytes, 0, bytes.length, offload)).toBe(true);
        expect(bytes).toEqual(frameOf(packet));
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test("outside of its frame is refused", () => {
    const { bytes, offload } = unfinished(tcp, 0);
    for (const wrong of [{ checksumFrom: 65_000 }, { checksumField: 65_000 }]) {
      expect(finishChecksum(bytes, 0, bytes.length, { ...offload, ...wrong })).toBe(false);
    }
  });
});
