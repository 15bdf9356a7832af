import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressesMax, Ipv6Texts } from "../../lib/host/ipv6-texts.ts";

function viewOf(octets: Uint8Array): DataView {
  return new DataView(Uint8Array.from(octets).buffer);
}

test("octets and canonical text are each other's inverse", () => {
  const texts = new Ipv6Texts();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
      const text = texts.text(viewOf(octets), 0);
      expect(texts.octets(text)).toEqual(octets);
      // As remembered.
      expect(texts.text(viewOf(octets), 0)).toBe(text);
    }),
    { seed: 1, numRuns: 500 },
  );
  expect(texts.text(viewOf(Uint8Array.fromHex(`fd77${"00".repeat(13)}01`)), 0)).toBe("fd77::1");
});

test("an address is read where it lies in a larger structure", () => {
  const structure = Uint8Array.fromHex(`0a001a7f00000000${"20010db8"}${"00".repeat(11)}02ffff`);
  expect(new Ipv6Texts().text(viewOf(structure), 8)).toBe("2001:db8::2");
});

test("ever new senders take no memory, and neighbours are still told apart", () => {
  const texts = new Ipv6Texts();
  const octets = new Uint8Array(16).fill(0xfd);
  for (let n = 0; n < 5 * addressesMax; n++) {
    new DataView(octets.buffer).setUint32(12, n);
    const text = texts.text(viewOf(octets), 0);
    expect(texts.octets(text)).toEqual(octets);
  }
  expect(texts.size).toBeLessThanOrEqual(addressesMax);
});
