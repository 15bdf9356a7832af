import { expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../lib/base/bytes.ts";
import { errorCode } from "../../lib/base/errors.ts";
import { readBoltBucket } from "../../lib/wire/bolt.ts";

const vectors = new URL("../vectors/ipam/", import.meta.url);
const file = await Bun.file(new URL("persistence-sample-data.db", vectors)).bytes();
const { keys }: { keys: { bucket: string; key: string; value_hex: string }[] } = await Bun.file(
  new URL("persistence.json", vectors),
).json();

function read(bytes: Uint8Array): Record<string, string> | undefined {
  const bucket = readBoltBucket(bytes, "top");
  return bucket && Object.fromEntries([...bucket].map(([key, value]) => [key, toHex(value)]));
}

const wanted = Object.fromEntries(keys.map(({ key, value_hex }) => [key, value_hex]));

/** A copy with some octets replaced. */
function patched(at: number, ...octets: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(octets, at);
  return copy;
}

/** `read` or the code of its error. */
function outcome(bytes: Uint8Array): unknown {
  try {
    return read(bytes);
  } catch (error) {
    return errorCode(error);
  }
}

test("all values of a database of the original are read", () => {
  expect(read(file)).toEqual(wanted);
});

test("a bucket that is not there is not found", () => {
  expect(readBoltBucket(file, "other")).toBeUndefined();
});

test("a database whose one meta page is damaged is read by the other", () => {
  // The older transaction may know fewer values, but what it knows is read.
  for (const page of [0, 4096]) expect(outcome(patched(page + 20, 0xff))).not.toBe("BOLT_DAMAGED");
  const both = patched(20, 0xff);
  both[4096 + 20] = 0xff;
  expect(outcome(both)).toBe("BOLT_DAMAGED");
});

test("files that are empty, cut off or of another kind are refused", () => {
  for (const size of [0, 15, 16, 79, 4095, 8192, 8200, 12287]) {
    expect(outcome(file.subarray(0, size))).toBe("BOLT_DAMAGED");
  }
  expect(outcome(new Uint8Array(65536))).toBe("BOLT_DAMAGED");
});

test("a tree that leads back to itself is refused", () => {
  for (let page = 2; page < 6; page++) {
    // A branch page with one element that names the page itself.
    const loop = patched(page * 4096 + 8, 1, 0, 1, 0, 0, 0, 0, 0);
    loop.set([16, 0, 0, 0, 0, 0, 0, 0, page, 0, 0, 0, 0, 0, 0, 0], page * 4096 + 16);
    // Pages that only an older transaction used do not matter.
    const result = outcome(loop);
    expect(result === "BOLT_DAMAGED" || Bun.deepEquals(result, wanted)).toBe(true);
  }
});

test("damage anywhere ends in values or a clear error, never in a hang or a crash", () => {
  const octets = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(octets, fc.integer({ min: 0, max: file.length }), (changes, size) => {
      const copy = file.slice();
      for (const [at, octet] of changes) copy[at] = octet;
      for (const bytes of [copy, copy.subarray(0, size)]) {
        const result = outcome(bytes);
        if (typeof result === "string") expect(result).toBe("BOLT_DAMAGED");
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("damage of the pages in use is met as well", () => {
  const hits = fc.tuple(fc.integer({ min: 2 * 4096, max: 6 * 4096 - 1 }), fc.nat(96), fc.nat(255));
  fc.assert(
    fc.property(fc.array(hits, { minLength: 1, maxLength: 8 }), (changes) => {
      const copy = file.slice();
      for (const [page, offset, octet] of changes) copy[(page & ~4095) + offset] = octet;
      const result = outcome(copy);
      if (typeof result === "string") expect(result).toBe("BOLT_DAMAGED");
    }),
    { seed: 1, numRuns: 2000 },
  );
});
