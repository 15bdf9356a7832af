import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import { Aggregator, framesPerDatagramMax } from "../../../lib/overlay/sleeve/aggregator.ts";
import { BufferPool } from "../../../lib/overlay/sleeve/buffer-pool.ts";
import {
  datagramMax,
  encryptedHeadSize,
  plainHeadSize,
  RecordReader,
} from "../../../lib/overlay/sleeve/datagram.ts";
import vectors from "../../vectors/sleeve/aggregation.json";

const sender = 0x7a9febb60c6e as PeerName;
const route = { source: sender, destination: 0xde3a11004201 as PeerName };
const bytes = new Uint8Array(datagramMax).fill(9);

function pack(lengths: number[], headSize: number, bounds: { firstMax: number; joinMax: number }) {
  const datagrams: number[][] = [];
  const sizes: number[] = [];
  const dropped: number[] = [];
  const aggregator = new Aggregator({
    sender,
    headSize,
    pool: new BufferPool(),
    emit(datagram, length) {
      const reader = new RecordReader();
      const frames: number[] = [];
      reader.begin(datagram, headSize, length);
      while (reader.next()) frames.push(reader.frameLength);
      expect(reader.fault).toBeUndefined();
      datagrams.push(frames);
      sizes.push(length);
    },
  });
  aggregator.limit(bounds);
  for (const length of lengths) {
    if (!aggregator.append(route, { bytes, at: 0, length })) dropped.push(length);
  }
  aggregator.flush();
  return { datagrams, sizes, dropped };
}

describe("the frames of a burst are packed as the original does", () => {
  for (const vector of vectors.cases) {
    test(vector.description.replace("aframe", "a frame").replace("continues", " continues"), () => {
      const packed = pack(
        vector.queued_frame_lengths,
        vector.encrypted ? encryptedHeadSize : plainHeadSize,
        { firstMax: vector.first_frame_limit, joinMax: vector.max_payload },
      );
      expect(packed.datagrams).toEqual(vector.datagrams);
      expect(packed.sizes).toEqual(vector.datagram_sizes);
    });
  }
});

test("whatever comes, no bound is exceeded and no frame is lost, repeated or reordered", () => {
  const lengths = fc.array(fc.nat(3000), { maxLength: 300 });
  const limits = fc.tuple(fc.integer({ min: 600, max: 9000 }), fc.boolean());
  fc.assert(
    fc.property(lengths, limits, (frames, [joinMax, df]) => {
      const firstMax = df ? joinMax : datagramMax;
      const { datagrams, sizes, dropped } = pack(frames, plainHeadSize, { firstMax, joinMax });
      const fits = (length: number): boolean => plainHeadSize + 14 + length <= firstMax;
      expect(datagrams.flat()).toEqual(frames.filter(fits));
      expect(dropped).toEqual(frames.filter((length) => !fits(length)));
      for (const [i, datagram] of datagrams.entries()) {
        expect(datagram.length).toBeLessThanOrEqual(framesPerDatagramMax);
        expect(sizes[i]!).toBeLessThanOrEqual(datagram.length === 1 ? firstMax : joinMax);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
