import { describe, expect, test } from "bun:test";
import { fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { portableSecretBox } from "../../lib/base/secret-box.ts";
import { LengthFraming } from "../../lib/mesh/framing.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";
import {
  keyPairOf,
  newKeyPair,
  sessionKey,
  TcpOpener,
  TcpSealer,
  tcpNonce,
} from "../../lib/mesh/session.ts";
import vectors from "../vectors/mesh/crypto.json";

describe("session keys of the original", () => {
  for (const vector of vectors.sessionKeys) {
    const password = utf8(vector.password);
    const a = keyPairOf(fromHex(vector.privateA));
    if (vector.privateB === undefined) {
      test(`refused where the original does not: ${vector.note}`, () => {
        expect(() => sessionKey(a, fromHex(vector.publicB), password)).toThrow("hides nothing");
      });
      continue;
    }
    const b = keyPairOf(fromHex(vector.privateB));
    test(`password of ${password.length} octets, both sides alike`, () => {
      expect(toHex(password)).toBe(vector.passwordHex);
      expect(toHex(a.publicKey)).toBe(vector.publicA);
      expect(toHex(b.publicKey)).toBe(vector.publicB);
      expect(toHex(sessionKey(a, b.publicKey, password))).toBe(vector.sessionKey);
      expect(toHex(sessionKey(b, a.publicKey, password))).toBe(vector.sessionKey);
    });
  }
});

describe("frames sealed by the original", () => {
  const key = fromHex(vectors.frameKey);
  const framing = new LengthFraming(new ReceiveBuffer());
  for (const vector of vectors.frames) {
    test(`message ${vector.sequence} of the ${vector.senderIsOutbound ? "dialler" : "acceptor"}, ${vector.frameHex.length / 2} octets`, () => {
      const nonce = tcpNonce(vector.senderIsOutbound, BigInt(vector.sequence));
      expect(toHex(nonce)).toBe(vector.nonceHex);
      const plain = fromHex(vector.plaintextHex);
      const sealed = portableSecretBox.seal(plain, nonce, key);
      expect(toHex(framing.wrap(sealed))).toBe(vector.frameHex);
      expect(portableSecretBox.open(sealed, nonce, key)).toEqual(plain);
    });
  }

  test("a sealer numbers its messages from zero, per direction", () => {
    for (const outbound of [true, false]) {
      const sealer = new TcpSealer(key, outbound);
      const opener = new TcpOpener(key, !outbound);
      const frames = vectors.frames.filter((frame) => frame.senderIsOutbound === outbound);
      for (const vector of frames.slice(0, 4)) {
        const plain = fromHex(vector.plaintextHex);
        expect(toHex(framing.wrap(sealer.seal(plain)))).toBe(vector.frameHex);
        expect(opener.open(fromHex(vector.frameHex.slice(8)))).toEqual(plain);
      }
    }
  });
});

test("a message does not open with our own polarity, twice, out of order or altered", () => {
  const key = seededRandom(1).fill(new Uint8Array(32));
  const sealer = new TcpSealer(key, true);
  const [first, second] = [sealer.seal(utf8("one")), sealer.seal(utf8("two"))];
  const refused = /Unable to decrypt TCP msg/;
  expect(() => new TcpOpener(key, true).open(first)).toThrow(refused);
  expect(() => new TcpOpener(key, false).open(second)).toThrow(refused);
  const opener = new TcpOpener(key, false);
  expect(opener.open(first)).toEqual(utf8("one"));
  expect(() => opener.open(first)).toThrow(refused);
  const altered = first.slice();
  altered[altered.length - 1]! ^= 1;
  expect(() => new TcpOpener(key, false).open(altered)).toThrow(refused);
  for (let length = 0; length < 16; length++) {
    expect(() => new TcpOpener(key, false).open(first.subarray(0, length))).toThrow(refused);
  }
});

/** Every encoding of a point of small order on Curve25519 and its twist (RFC 7748, §6.1). */
const lowOrderKeys = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

test("public keys of low order are refused", () => {
  const own = newKeyPair(seededRandom(2));
  for (const hex of lowOrderKeys) {
    const publicKey = fromHex(hex);
    expect(() => sessionKey(own, publicKey, utf8("secret"))).toThrow("hides nothing");
    // The top bit is not part of the point.
    publicKey[31]! |= 0x80;
    expect(() => sessionKey(own, publicKey, utf8("secret"))).toThrow("hides nothing");
  }
});
