import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  openInPlace,
  portableSecretBox,
  sealInPlace,
  secretBoxOverhead,
} from "../../lib/base/secret-box.ts";
import { openSecretBox } from "../../lib/host/secret-box.ts";

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const arguments_ = [fc.uint8Array({ maxLength: 3000 }), octets(24), octets(32)] as const;

describe("the native secretbox", () => {
  const native = openSecretBox();

  test("is libsodium's on this machine", () => {
    expect(native.implementation).toBe("libsodium (system)");
  });

  test("seals and opens exactly like the portable one", () => {
    fc.assert(
      fc.property(...arguments_, (plain, nonce, key) => {
        const box = native.seal(plain, nonce, key);
        expect(box).toEqual(portableSecretBox.seal(plain, nonce, key));
        expect(native.open(box, nonce, key)).toEqual(plain);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("seals and opens where the octets lie, and touches nothing around them", () => {
    fc.assert(
      fc.property(...arguments_, fc.nat({ max: 40 }), (plain, nonce, key, at) => {
        const length = plain.length + secretBoxOverhead;
        const buffer = new Uint8Array(at + length + 5).fill(0xee);
        buffer.set(plain, at + secretBoxOverhead);
        const run = { buffer, at, length };
        sealInPlace(native, run, nonce, key);
        const sealed: Uint8Array = buffer.slice(at, at + length);
        expect(sealed).toEqual(portableSecretBox.seal(plain, nonce, key));
        expect(openInPlace(native, run, nonce, key)).toBe(true);
        expect(buffer.slice(at + secretBoxOverhead, at + length)).toEqual(plain);
        expect(buffer.slice(0, at).every((octet) => octet === 0xee)).toBe(true);
        expect(buffer.slice(at + length).every((octet) => octet === 0xee)).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("opens nothing that was changed, and leaves it as it is", () => {
    const nonce = new Uint8Array(24);
    const key = new Uint8Array(32).fill(9);
    const box = native.seal(Uint8Array.of(1, 2, 3), nonce, key);
    for (let at = 0; at < box.length; at++) {
      const damaged = box.slice();
      damaged[at]! ^= 1;
      const before = damaged.slice();
      expect(native.open(damaged, nonce, key)).toBeUndefined();
      const run = { buffer: damaged, at: 0, length: damaged.length };
      expect(openInPlace(native, run, nonce, key)).toBe(false);
      expect(damaged).toEqual(before);
    }
    expect(native.open(box.slice(0, 15), nonce, key)).toBeUndefined();
  });

  test("never lets native code read or write beyond its arrays", () => {
    const nonce = new Uint8Array(24);
    const key = new Uint8Array(32);
    expect(() => native.seal(new Uint8Array(1), nonce, key.subarray(1))).toThrow("32 octets");
    expect(() => native.seal(new Uint8Array(1), nonce.subarray(1), key)).toThrow("24 octets");
    const run = { buffer: new Uint8Array(20), at: 8, length: 16 };
    expect(() => native.sealInPlace?.(run, nonce, key)).toThrow("within its buffer");
  });
});
