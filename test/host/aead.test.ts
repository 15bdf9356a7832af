import { describe, expect, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { aeadHeadSize, aeadNonceSize } from "../../lib/base/aead.ts";
import { concatBytes, fromHex } from "../../lib/base/bytes.ts";
import { aeadsHere, openAead } from "../../lib/host/aead.ts";

/** From "The Galois/Counter Mode of Operation" as submitted to NIST: cases without further data. */
const published = [
  {
    name: "13",
    key: "0000000000000000000000000000000000000000000000000000000000000000",
    nonce: "000000000000000000000000",
    text: "",
    sealed: "",
    tag: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    name: "14",
    key: "0000000000000000000000000000000000000000000000000000000000000000",
    nonce: "000000000000000000000000",
    text: "00000000000000000000000000000000",
    sealed: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    name: "15",
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    text: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
    tag: "b094dac5d93471bdec1a502270e3cc6c",
  },
];

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const randomRuns = [octets(32), octets(12), fc.uint8Array({ maxLength: 3000 })] as const;
const around = 7;

/** `around` foreign octets, the run, and as many again. */
function framed(nonce: Uint8Array, text: Uint8Array): Uint8Array {
  const foreign = new Uint8Array(around).fill(0xee);
  return concatBytes(foreign, nonce, new Uint8Array(16), text, foreign);
}

test("this machine has AES, and libcrypto's comes first", () => {
  expect([...aeadsHere()].map(({ implementation }) => implementation)).toEqual([
    "libcrypto",
    "libsodium",
    "boringssl",
  ]);
  expect(openAead()?.implementation).toBe("libcrypto");
});

for (const aead of aeadsHere()) {
  describe(`AES-256-GCM by ${aead.implementation}`, () => {
    for (const { name, key, nonce, text, sealed, tag } of published) {
      test(`has the published results of case ${name}`, () => {
        const run = concatBytes(fromHex(nonce), new Uint8Array(16), fromHex(text));
        const used = aead.useKey(fromHex(key));
        used.seal(run, 0, run.length);
        expect(run.toHex()).toBe(nonce + tag + sealed);
        expect(used.open(run, 0, run.length)).toBe(true);
        expect(run.subarray(aeadHeadSize).toHex()).toBe(text);
      });
    }

    test("works where the octets lie like any other, and touches nothing around them", () => {
      fc.assert(
        fc.property(...randomRuns, (key, nonce, text) => {
          const cipher = createCipheriv("aes-256-gcm", key, nonce);
          const enciphered = concatBytes(cipher.update(text), cipher.final());
          const buffer = framed(nonce, text);
          const length = buffer.length - 2 * around;
          const used = aead.useKey(key);
          used.seal(buffer, around, length);
          const expected = framed(nonce, enciphered);
          expected.set(cipher.getAuthTag(), around + aeadNonceSize);
          expect(buffer).toEqual(expected);
          expect(used.open(buffer, around, length)).toBe(true);
          expect(buffer.subarray(around + aeadHeadSize, around + length)).toEqual(text);
          used.erase();
        }),
        { seed: 1, numRuns: 300 },
      );
    });

    test("opens nothing of which one bit was changed", () => {
      const key = aead.useKey(new Uint8Array(32).fill(3));
      const run = new Uint8Array(aeadHeadSize + 5).fill(9);
      key.seal(run, 0, run.length);
      for (let bit = 0; bit < run.length * 8; bit++) {
        const damaged = run.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        expect(key.open(damaged, 0, damaged.length)).toBe(false);
      }
      expect(key.open(run.slice(0, -1), 0, run.length - 1)).toBe(false);
      expect(key.open(run, 0, run.length)).toBe(true);
      const other = aead.useKey(new Uint8Array(32).fill(4));
      other.seal(run, 0, run.length);
      expect(key.open(run, 0, run.length)).toBe(false);
    });

    test("never reads or writes beyond an array, nor uses a key that is erased", () => {
      expect(() => aead.useKey(new Uint8Array(31))).toThrow("32 octets");
      const key = aead.useKey(new Uint8Array(32));
      for (const [at, length] of [
        [0, aeadHeadSize - 1],
        [3, 30],
        [-1, 30],
      ] as const) {
        expect(() => key.seal(new Uint8Array(32), at, length)).toThrow("within its buffer");
        expect(() => key.open(new Uint8Array(32), at, length)).toThrow("within its buffer");
      }
      key.erase();
      key.erase();
      expect(() => key.seal(new Uint8Array(32), 0, 32)).toThrow("not used again");
      expect(() => key.open(new Uint8Array(32), 0, 32)).toThrow("not used again");
    });
  });
}
