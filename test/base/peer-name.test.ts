import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { errorText } from "../../lib/base/errors.ts";
import {
  formatPeerName,
  type PeerName,
  parsePeerName,
  peerNameBytes,
  peerNameFromNumber,
  peerNameSize,
  readPeerName,
} from "../../lib/base/peer-name.ts";
import { encodeGob, gob } from "../../lib/wire/gob.ts";
import vectors from "../vectors/mesh/peer-names.json";

describe("a peer name", () => {
  for (const spelling of vectors.text) {
    test(`"${spelling.input}" is ${spelling.ok ? "accepted" : "refused"} like by the original`, () => {
      if (!spelling.ok) {
        expect(() => parsePeerName(spelling.input)).toThrow(
          `invalid peer name format: "${spelling.input}"`,
        );
        return;
      }
      const name = parsePeerName(spelling.input);
      expect(BigInt(name)).toBe(BigInt(spelling.u64!));
      expect(toHex(peerNameBytes(name))).toBe(spelling.bytesHex!);
      expect(formatPeerName(name)).toBe(spelling.canonical!);
      expect(toHex(encodeGob(gob.uint, name))).toBe(spelling.gobHex!);
    });
  }

  test("of six octets is the number that the original reads", () => {
    const whole = vectors.binary.filter(({ bytesHex }) => bytesHex.length === 2 * peerNameSize);
    expect(whole.length).toBeGreaterThan(0);
    for (const { bytesHex, u64, canonical } of whole) {
      const name = readPeerName(fromHex(bytesHex));
      expect(BigInt(name)).toBe(BigInt(u64));
      expect(formatPeerName(name)).toBe(canonical);
    }
  });

  test("survives every form it takes", () => {
    const names = fc.maxSafeNat().map((number) => (number % 2 ** 48) as PeerName);
    fc.assert(
      fc.property(names, (name) => {
        expect(parsePeerName(formatPeerName(name))).toBe(name);
        expect(readPeerName(peerNameBytes(name))).toBe(name);
        expect(peerNameFromNumber(BigInt(name))).toBe(name);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("orders like its text", () => {
    const names = fc.maxSafeNat().map((number) => (number % 2 ** 48) as PeerName);
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(Math.sign(a - b)).toBe(formatPeerName(a) < formatPeerName(b) ? -1 : a === b ? 0 : 1);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("never throws anything but its own error for arbitrary text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0a:F -x:") }), (text) => {
        try {
          parsePeerName(text);
        } catch (error) {
          expect(errorText(error)).toStartWith("invalid peer name format");
        }
      }),
      { seed: 1, numRuns: 5000 },
    );
  });
});
