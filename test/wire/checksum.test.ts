import { expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, writeUint16 } from "../../lib/base/bytes.ts";
import { checksum, checksumAdd, checksumFinish } from "../../lib/wire/checksum.ts";
import { summableBytes, vectorSum } from "../../lib/wire/vector-sum.ts";

test("the example of RFC 1071 sums to the printed value", () => {
  expect(~checksum(fromHex("0001f203f4f5f6f7"), 0, 8) & 0xffff).toBe(0xddf2);
});

test("a run with its checksum filled in verifies", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), (bytes) => {
      writeUint16(bytes, 0, 0);
      writeUint16(bytes, 0, checksum(bytes, 0, bytes.length));
      expect(checksum(bytes, 0, bytes.length)).toBe(0);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("parts of even length add up to the whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 99 }), fc.nat(40), (bytes, half) => {
      const split = Math.min(half * 2, bytes.length & ~1);
      const sum = checksumAdd(checksumAdd(0, bytes, 0, split), bytes, split, bytes.length - split);
      expect(checksumFinish(sum)).toBe(checksum(bytes, 0, bytes.length));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("64 KiB of ones do not lose a carry", () => {
  expect(checksum(new Uint8Array(65536).fill(0xff), 0, 65536)).toBe(0);
  expect(checksum(summableBytes(65536).fill(0xff), 0, 65536)).toBe(0);
  for (const octets of [2 ** 17, 2 ** 17 + 64]) {
    expect(checksum(summableBytes(octets).fill(0xff), 0, octets)).toBe(0);
  }
});

test("runs are summed quickly where they may be", () => {
  const octets = summableBytes(64).fill(1);
  expect(vectorSum(octets, 0, 64)).toBe(32 * 0x0101);
  expect(vectorSum(octets.subarray(32), 0, 32)).toBe(16 * 0x0101);
  expect(vectorSum(new Uint8Array(64), 0, 64)).toBeUndefined();
});

test("any run, wherever it begins, sums to what adding word by word gives", () => {
  const slow = (bytes: Uint8Array): number => {
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) {
      sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return ~sum & 0xffff;
  };
  const summable = summableBytes(4000);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(70), (bytes, from) => {
      const at = Math.min(from, bytes.length);
      const run = bytes.slice(at);
      expect(checksum(bytes, at, run.length)).toBe(slow(run));
      summable.set(bytes, from);
      expect(checksum(summable, from + at, run.length)).toBe(slow(run));
    }),
    { seed: 1, numRuns: 300 },
  );
});
