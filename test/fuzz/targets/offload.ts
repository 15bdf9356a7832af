import { concatBytes } from "../../../lib/base/bytes.ts";
import { Coalescer } from "../../../lib/overlay/offload/coalescer.ts";
import { piecesMax, Segmenter } from "../../../lib/overlay/offload/segmenter.ts";
import { finishChecksum } from "../../../lib/overlay/offload/unfinished-checksum.ts";
import {
  noOffload,
  readVirtioNetHeader,
  superFrameKind,
  virtioNetHeaderSize,
  writeVirtioNetHeader,
} from "../../../lib/wire/virtio-net-header.ts";
import { noise, type Packet, piecesOf, unfinished } from "../../overlay/offload/frames.ts";
import { octetsOf } from "../../overlay/offload/merged-octets.ts";
import { type FuzzTarget, hold } from "../target.ts";

const packets: readonly { packet: Packet; segmentSize: number }[] = [false, true].flatMap(
  (isIpv6) =>
    [false, true].flatMap((isTcp) =>
      ["", "81000005"].map((tags) => ({
        packet: { isIpv6, isTcp, tags, payload: noise(700, 3), flags: 0x18 },
        segmentSize: 120,
      })),
    ),
);

function described({ packet, segmentSize }: (typeof packets)[number]): Uint8Array {
  const { bytes, offload } = unfinished(packet, segmentSize);
  const header = new Uint8Array(virtioNetHeaderSize);
  writeVirtioNetHeader(new DataView(header.buffer), 0, offload, 0);
  return concatBytes(header, bytes);
}

const around = 300;
const mark = 0xa5;

/** Super-frames as a container may hand them to the kernel, description and all. */
export const segmenterTarget: FuzzTarget = {
  name: "segmenter",
  corpus: () => [
    ...packets.map(described),
    ...packets.map(({ packet }) => described({ packet, segmentSize: 0 })),
  ],
  begin() {
    const segmenter = new Segmenter();
    const offload = { ...noOffload };
    return {
      consume(bytes) {
        if (bytes.length < virtioNetHeaderSize) return false;
        readVirtioNetHeader(new DataView(bytes.slice().buffer), 0, offload);
        const length = bytes.length - virtioNetHeaderSize;
        const room = new Uint8Array(length + 2 * around).fill(mark);
        room.set(bytes.subarray(virtioNetHeaderSize), around);
        let isDone = false;
        if (offload.kind === superFrameKind.none) {
          isDone = offload.checksumFrom > 0 && finishChecksum(room, around, length, offload);
        } else {
          const pieces = segmenter.cut(room, around, length, offload, (_bytes, at, size) => {
            hold(
              at >= around && at + size <= around + length,
              "a piece outside of its super-frame",
            );
            return true;
          });
          hold(pieces <= piecesMax, `${pieces} pieces`);
          isDone = pieces > 0;
        }
        const outside = [room.subarray(0, around), room.subarray(around + length)];
        hold(
          outside.every((part) => part.every((octet) => octet === mark)),
          "octets outside of the super-frame were written to",
        );
        return isDone;
      },
    };
  },
};

const framesOf = (bytes: Uint8Array): Uint8Array[] => {
  const frames: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = Math.min((bytes[at]! << 8) | bytes[at + 1]!, bytes.length - at - 2);
    frames.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return frames.filter(({ length }) => length >= 14);
};

const joined = (frames: readonly Uint8Array[]): Uint8Array =>
  concatBytes(
    ...frames.flatMap((frame) => [Uint8Array.of(frame.length >> 8, frame.length & 255), frame]),
  );

/** Bursts of frames off the network: cut again, what was merged is what came in. */
export const coalescerTarget: FuzzTarget = {
  name: "coalescer",
  corpus: () => {
    const bursts = packets.map(({ packet, segmentSize }) => piecesOf(packet, segmentSize));
    const mixed = bursts[0]!.flatMap((_, index) => bursts.map((burst) => burst[index]!));
    return [...bursts, mixed].map(joined);
  },
  begin() {
    const segmenter = new Segmenter();
    let out: string[] = [];
    let merged = 0;
    const coalescer = new Coalescer({
      alone: (bytes, at, length) => void out.push(bytes.subarray(at, at + length).toHex()),
      merged(run) {
        merged++;
        const whole = octetsOf(run);
        const pieces = segmenter.cut(whole, 0, whole.length, run.offload, (bytes, at, length) => {
          out.push(bytes.subarray(at, at + length).toHex());
          return true;
        });
        hold(pieces === run.count, `${run.count} frames became ${pieces}`);
      },
    });
    return {
      consume(bytes) {
        const frames = framesOf(bytes);
        const expected = frames.map((frame) => frame.toHex()).sort();
        const buffer = concatBytes(...frames);
        out = [];
        const before = merged;
        let at = 0;
        for (const { length } of frames) {
          coalescer.add(buffer, at, length);
          at += length;
        }
        coalescer.flush();
        hold(out.sort().join() === expected.join(), "a frame was lost or changed");
        return merged > before;
      },
    };
  },
};
