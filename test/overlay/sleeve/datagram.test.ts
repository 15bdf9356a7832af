import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import { readPeerName, writePeerName } from "../../../lib/base/peer-name.ts";
import {
  datagramMaxOfMtu,
  encryptedHeadSize,
  type Frame,
  pathOverhead,
  plainHeadSize,
  RecordReader,
  writeRecord,
} from "../../../lib/overlay/sleeve/datagram.ts";
import vectors from "../../vectors/sleeve/plain-datagrams.json";
import { type VectorBytes, vectorBytes, vectorPeer } from "../vectors.ts";

interface ReadRecord {
  source: PeerName;
  destination: PeerName;
  frame: string;
}

function readAll(bytes: Uint8Array, at: number, end: number) {
  const reader = new RecordReader();
  const records: ReadRecord[] = [];
  reader.begin(bytes, at, end);
  while (reader.next()) {
    const { source, destination, frameAt, frameLength } = reader;
    const frame = bytes.subarray(frameAt, frameAt + frameLength).toHex();
    records.push({ source, destination, frame });
  }
  return { records, fault: reader.fault };
}

function whole(bytes: Uint8Array): Frame {
  return { bytes, at: 0, length: bytes.length };
}

describe("a plain datagram", () => {
  for (const vector of vectors.cases) {
    const datagram = vectorBytes(vector.datagram as VectorBytes);
    const frames = vector.frames.map(({ src, dst, frame }) => ({
      source: vectorPeer(src),
      destination: vectorPeer(dst),
      bytes: vectorBytes(frame as VectorBytes),
    }));

    test(`is read: ${vector.description}`, () => {
      const { records, fault } = readAll(datagram, plainHeadSize, datagram.length);
      expect(readPeerName(datagram)).toBe(vectorPeer(vector.sender));
      expect(records).toEqual(
        frames.map(({ bytes, ...route }) => ({ ...route, frame: bytes.toHex() })),
      );
      expect(fault !== undefined).toBe(vector.error !== "");
    });

    if (vector.error !== "") continue;
    test(`is written: ${vector.description}`, () => {
      const into = new Uint8Array(datagram.length);
      writePeerName(into, 0, vectorPeer(vector.sender));
      let at = plainHeadSize;
      for (const { bytes, ...route } of frames) at = writeRecord(into, at, route, whole(bytes));
      expect(at).toBe(vector.total_len!);
      expect(into).toEqual(datagram);
    });
  }
});

test("records written anywhere in a buffer are read back from there", () => {
  const name = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((number) => number as PeerName);
  const frame = fc.record({
    source: name,
    destination: name,
    bytes: fc.uint8Array({ maxLength: 200 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.nat(50), (frames, start) => {
      const buffer = new Uint8Array(4000).fill(0xee);
      let end = start;
      for (const { bytes, ...route } of frames) end = writeRecord(buffer, end, route, whole(bytes));
      const { records, fault } = readAll(buffer, start, end);
      expect(fault).toBeUndefined();
      expect(records).toEqual(
        frames.map(({ bytes, ...route }) => ({ ...route, frame: bytes.toHex() })),
      );
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("any octets are read to the end without reading beyond it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const roomy = new Uint8Array(70_000);
      roomy.set(bytes);
      expect(readAll(roomy, 0, bytes.length)).toEqual(readAll(bytes, 0, bytes.length));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test("overheads are those of the original", () => {
  expect(pathOverhead(plainHeadSize, 4)).toBe(62);
  expect(pathOverhead(encryptedHeadSize, 4)).toBe(86);
  expect(datagramMaxOfMtu(1438, plainHeadSize)).toBe(1472);
  expect(datagramMaxOfMtu(1414, encryptedHeadSize)).toBe(1472);
});

test("IPv6 takes twenty octets more of a path", () => {
  expect(pathOverhead(plainHeadSize, 6)).toBe(82);
  expect(pathOverhead(encryptedHeadSize, 6)).toBe(106);
  expect(datagramMaxOfMtu(1418, plainHeadSize)).toBe(1500 - 48);
});
