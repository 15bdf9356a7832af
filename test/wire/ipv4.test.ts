import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex } from "../../lib/base/bytes.ts";
import { checksum } from "../../lib/wire/checksum.ts";
import { ipv4HeaderLength, ipv4Seal, ipv4TotalLength, isIpv4 } from "../../lib/wire/ipv4.ts";

const header = "4500001e000140003f1125c00a0201040a020107";
const packet = fromHex(`${header}00070e151c232a31383f`);

function changed(at: number, ...octets: number[]): Uint8Array {
  const bytes = packet.slice();
  bytes.set(octets, at);
  return bytes;
}

function decodes(bytes: Uint8Array): boolean {
  return isIpv4(bytes, 0, bytes.length);
}

describe("a packet counts as IPv4", () => {
  test("when its header is whole", () => expect(decodes(packet)).toBe(true));
  test("whatever version it claims", () => expect(decodes(changed(0, 0x65))).toBe(true));
  test("whatever its checksum is", () => expect(decodes(changed(10, 0, 0))).toBe(true));
  test("when its total length is 0, which means all there is", () => {
    expect(decodes(changed(2, 0, 0))).toBe(true);
    expect(ipv4TotalLength(changed(2, 0, 0), 0, 30)).toBe(30);
  });
  test("when it claims more octets than there are", () =>
    expect(decodes(changed(2, 0x0f, 0xa0))).toBe(true));
});

describe("a packet does not count as IPv4", () => {
  test("below 20 octets", () => expect(decodes(packet.subarray(0, 19))).toBe(false));
  test("with a header of four words", () => expect(decodes(changed(0, 0x44))).toBe(false));
  test("with a total length below its header", () =>
    expect(decodes(changed(2, 0, 19))).toBe(false));
  test("with a header longer than what is there", () =>
    expect(decodes(changed(0, 0x4f))).toBe(false));
});

describe("options", () => {
  const withOptions = (hex: string): Uint8Array => {
    const options = fromHex(hex);
    const bytes = new Uint8Array(20 + options.length);
    bytes.set(fromHex(header));
    bytes[0] = 0x40 | (bytes.length / 4);
    bytes[3] = bytes.length;
    bytes.set(options, 20);
    return bytes;
  };
  test("may be padding, the end, and complete ones", () => {
    for (const hex of ["01010101", "00ffffff", "94040000", "0101440400000000", "01830307"]) {
      expect(decodes(withOptions(hex.padEnd(8, "0")))).toBe(true);
    }
  });
  test("must not be cut off or shorter than two octets", () => {
    for (const hex of ["94050000", "94010000", "94000000", "01010194"]) {
      expect(decodes(withOptions(hex))).toBe(false);
    }
  });
});

test("any octets are judged without reading beyond them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(20), (bytes, pad) => {
      const roomy = new Uint8Array(bytes.length + pad + 100).fill(0x45);
      roomy.set(bytes, pad);
      expect(isIpv4(roomy, pad, bytes.length)).toBe(isIpv4(bytes, 0, bytes.length));
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("sealing makes the header verify", () => {
  const bytes = changed(10, 1, 2);
  ipv4Seal(bytes, 0);
  expect(bytes).toEqual(packet);
  expect(checksum(bytes, 0, ipv4HeaderLength(bytes, 0))).toBe(0);
});
