import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes } from "../../../lib/base/bytes.ts";
import { Coalescer, openRunsMax } from "../../../lib/overlay/offload/coalescer.ts";
import { Segmenter } from "../../../lib/overlay/offload/segmenter.ts";
import type { FrameOffload } from "../../../lib/wire/virtio-net-header.ts";
import { anyPacket, frameOf, noise, type Packet, piecesOf, unfinished } from "./frames.ts";
import { octetsOf } from "./merged-octets.ts";

type Outcome = { frame: Uint8Array; offload: FrameOffload | undefined };

let out: Outcome[];
let coalescer: Coalescer;

beforeEach(() => {
  out = [];
  coalescer = new Coalescer({
    alone: (bytes, at, length) =>
      void out.push({ frame: bytes.slice(at, at + length), offload: undefined }),
    merged: (run) => void out.push({ frame: octetsOf(run), offload: { ...run.offload } }),
  });
});

/** All frames lie in one buffer, as datagrams received together do. */
function burst(frames: readonly Uint8Array[]): Outcome[] {
  out = [];
  const buffer = concatBytes(...frames);
  let at = 0;
  for (const { length } of frames) {
    coalescer.add(buffer, at, length);
    at += length;
  }
  coalescer.flush();
  return out;
}

/** What the kernel would make of it again, should its receiver need single frames. */
function cutAgain(outcomes: readonly Outcome[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const segmenter = new Segmenter();
  for (const { frame, offload } of outcomes) {
    if (offload === undefined) frames.push(frame);
    else {
      segmenter.cut(frame.slice(), 0, frame.length, offload, (bytes, at, length) => {
        frames.push(bytes.slice(at, at + length));
        return true;
      });
    }
  }
  return frames;
}

const base: Packet = { isIpv6: false, isTcp: true, payload: noise(1000, 9) };
const segments = (count: number, change: Partial<Packet> = {}): Packet[] =>
  Array.from({ length: count }, (_, index) => ({
    ...base,
    sequence: 1000 + index * 1000,
    identification: 5 + index,
    ...change,
  }));
const merges = (packets: readonly Packet[]): number[] =>
  burst(packets.map(frameOf)).map(({ frame }) => Math.round(frame.length / 1000));

describe("segments that follow each other", () => {
  test("become the super-frame that they were cut from", () => {
    fc.assert(
      fc.property(anyPacket, ({ packet, segmentSize }) => {
        const whole: Packet = { ...packet, tags: "", flags: (packet.flags ?? 0) & 0x18 };
        const pieces = piecesOf(whole, segmentSize);
        fc.pre(pieces.length > 1 && pieces.length <= 64);
        expect(burst(pieces)).toEqual([
          {
            frame: unfinished(whole, segmentSize).bytes,
            offload: unfinished(whole, segmentSize).offload,
          },
        ]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("in any mixture come out as they went in, each flow in its order", () => {
    const flows = fc.array(anyPacket, { minLength: 1, maxLength: openRunsMax + 3 });
    fc.assert(
      fc.property(flows, fc.infiniteStream(fc.nat(100)), (packets, choices) => {
        const queues = packets.map(({ packet, segmentSize }, index) =>
          piecesOf({ ...packet, sourcePort: 1000 + index }, Math.max(segmentSize, 900)),
        );
        const expected = queues.map((queue) => [...queue]);
        const mixed: Uint8Array[] = [];
        for (const choice of choices) {
          const left = queues.filter(({ length }) => length > 0);
          if (left.length === 0) break;
          mixed.push(left[choice % left.length]!.shift()!);
        }
        const after = cutAgain(burst(mixed)).map((frame) => frame.toHex());
        for (const queue of expected) {
          const own = new Set(queue.map((frame) => frame.toHex()));
          expect(after.filter((frame) => own.has(frame))).toEqual([...own]);
        }
        expect(after).toHaveLength(mixed.length);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("stay together until something differs", () => {
    expect(merges(segments(5))).toEqual([5]);
    const differing: Partial<Packet>[] = [
      { sequence: 77 },
      { identification: 99 },
      { acknowledgement: 78 },
      { window: 502 },
      { options: "0101080a0000000100000003" },
      { options: "" },
      { payload: noise(1001, 1) },
    ];
    for (const change of differing) {
      const packets = segments(4);
      packets[2] = { ...packets[2]!, ...change };
      expect([change, merges(packets)[0]]).toEqual([change, 2]);
      expect(cutAgain(out).map((frame) => frame.toHex())).toEqual(
        packets.map((packet) => frameOf(packet).toHex()),
      );
    }
  });

  test("end with a shorter or a pushed one", () => {
    const short = segments(4);
    short[1] = { ...short[1]!, payload: noise(500, 2) };
    short[2] = { ...short[2]!, sequence: 2500 };
    short[3] = { ...short[3]!, sequence: 3500 };
    expect(merges(short)).toEqual([2, 2]);
    const pushed = segments(4);
    pushed[1] = { ...pushed[1]!, flags: 0x18 };
    expect(merges(pushed)).toEqual([2, 2]);
    expect(out[0]!.frame[14 + 20 + 13]).toBe(0x18);
  });

  test("are at most as many as one IP packet holds", () => {
    expect(merges(segments(70))).toEqual([64, 6]);
    const large = segments(20).map((packet, index) => ({
      ...packet,
      sequence: 1000 + index * 9000,
      payload: noise(9000, 1),
    }));
    expect(merges(large)).toEqual([63, 63, 54]);
  });

  test("with a damaged checksum are left for the receiver to refuse", () => {
    for (const field of [14 + 10, 14 + 20 + 17, 600]) {
      const frames = segments(4).map(frameOf);
      frames[1]![field]! ^= 0x40;
      const expected = frames.map((frame) => frame.toHex());
      const outcomes = burst(frames);
      expect(outcomes[1]).toEqual({ frame: outcomes[1]!.frame, offload: undefined });
      expect(cutAgain(outcomes).map((frame) => frame.toHex())).toEqual(expected);
    }
  });
});

describe("other frames", () => {
  test("leave at once and overtake nothing of their flow", () => {
    for (const flags of [0x11, 0x14, 0x12, 0x30, 0x50, 0x90]) {
      const packets = segments(3);
      packets[2] = { ...packets[2]!, flags };
      expect(merges(packets)).toEqual([2, 1]);
    }
    const bare = { ...base, payload: new Uint8Array(0), sequence: 3000 };
    expect(merges([...segments(2), bare, ...segments(1)])).toEqual([2, 0, 1]);
  });

  test("of no known flow come behind everything before them", () => {
    const fragment = frameOf(segments(1)[0]!);
    fragment[14 + 6] = 0x20;
    const arp = new Uint8Array(60).fill(1);
    for (const stranger of [fragment, arp, new Uint8Array(14)]) {
      const outcomes = burst([...segments(2).map(frameOf), stranger]);
      expect(outcomes).toHaveLength(2);
      expect(outcomes[1]).toEqual({ frame: stranger, offload: undefined });
    }
  });

  test("of UDP stay alone where the kernel does not take them merged", () => {
    const packets = segments(3, { isTcp: false });
    expect(merges(packets)).toEqual([3]);
    coalescer.mergesUdp = false;
    expect(merges(packets)).toEqual([1, 1, 1]);
  });

  test("of UDP without a checksum stay alone", () => {
    const frames = segments(3, { isTcp: false }).map(frameOf);
    for (const frame of frames) frame.fill(0, 40, 42);
    expect(burst(frames)).toHaveLength(3);
  });

  test("with hostile headers come out as they went in", () => {
    const spoilt = fc.record({
      packet: anyPacket,
      changes: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 5 }),
      length: fc.integer({ min: 14, max: 2000 }),
    });
    fc.assert(
      fc.property(fc.array(spoilt, { maxLength: 12 }), (all) => {
        const frames = all.flatMap(({ packet: { packet, segmentSize }, changes, length }) => {
          const [first, second] = piecesOf({ ...packet, tags: "" }, segmentSize);
          for (const [at, value] of changes) if (at < first!.length) first![at] = value;
          return [first!.slice(0, length), second ?? first!];
        });
        const expected = frames.map((frame) => frame.toHex()).sort();
        const after = cutAgain(burst(frames));
        expect(after.map((frame) => frame.toHex()).sort()).toEqual(expected);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});
