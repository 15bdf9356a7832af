import { expect, test } from "bun:test";
import fc from "fast-check";
import { readUint64, writeUint64 } from "../../../lib/base/bytes.ts";
import {
  newNonce,
  readsDf,
  readWindow,
  readWindowOffset,
  sequenceMax,
  writeSequence,
} from "../../../lib/overlay/sleeve/sequence.ts";

test("a sequence field holds the number and the DF bit apart", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: sequenceMax }), fc.boolean(), (sequence, df) => {
      const field = new Uint8Array(8);
      writeSequence(field, 0, { sequence, df });
      expect(readsDf(field, 0)).toBe(df);
      expect(readUint64(field, 0) & (2n ** 63n - 1n)).toBe(BigInt(sequence));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("window and offset together are the number, up to 2^63", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const field = new Uint8Array(8);
      writeUint64(field, 0, value);
      const number = BigInt(readWindow(field, 0)) * 2n ** 20n + BigInt(readWindowOffset(field, 0));
      expect(number).toBe(value & (2n ** 63n - 1n));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("the two ends of a connection never share a nonce", () => {
  expect(newNonce(true)[0]).toBe(0x80);
  expect(newNonce(false)[0]).toBe(0);
});
