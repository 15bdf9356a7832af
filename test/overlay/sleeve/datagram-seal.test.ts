import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex } from "../../../lib/base/bytes.ts";
import { readPeerName, writePeerName } from "../../../lib/base/peer-name.ts";
import {
  portableSecretBox,
  type SecretBox,
  secretBoxOverhead,
} from "../../../lib/base/secret-box.ts";
import {
  encryptedHeadSize,
  plainHeadSize,
  RecordReader,
  writeRecord,
} from "../../../lib/overlay/sleeve/datagram.ts";
import {
  DecryptingOpener,
  EncryptingSealer,
  plainOpener,
  plainSealer,
} from "../../../lib/overlay/sleeve/datagram-seal.ts";
import {
  newNonce,
  readsDf,
  setNonceField,
  writeSequence,
} from "../../../lib/overlay/sleeve/sequence.ts";
import vectors from "../../vectors/sleeve/encrypted-datagrams.json";
import { vectorBytes, vectorPeer } from "../vectors.ts";

const key = fromHex(vectors.session_key);
const box = portableSecretBox;

function framesOf(datagram: Uint8Array, at: number, end: number) {
  const reader = new RecordReader();
  const frames: { src: string; dst: string; frame: string }[] = [];
  reader.begin(datagram, at, end);
  while (reader.next()) {
    frames.push({
      src: reader.source.toString(16).padStart(12, "0"),
      dst: reader.destination.toString(16).padStart(12, "0"),
      frame: datagram.subarray(reader.frameAt, reader.frameAt + reader.frameLength).toHex(),
    });
  }
  return frames;
}

describe("an encrypted datagram", () => {
  for (const vector of vectors.cases) {
    const name = `seq ${vector.seq}, DF ${vector.df}, sender outbound ${vector.sender_outbound}`;
    const datagram = vectorBytes(vector.datagram);

    test(`has the recorded sequence field and nonce: ${name}`, () => {
      const field = new Uint8Array(8);
      writeSequence(field, 0, { sequence: Number(vector.seq), df: vector.df });
      const nonce = newNonce(vector.sender_outbound);
      setNonceField(nonce, field, 0);
      expect(field.toHex()).toBe(vector.clear_seq_field);
      expect(nonce.toHex()).toBe(vector.nonce);
      expect(readsDf(field, 0)).toBe(vector.df);
    });

    test(`is sealed to the recorded octets: ${name}`, () => {
      const sealed = new Uint8Array(vector.total_len);
      writePeerName(sealed, 0, vectorPeer(vector.sender));
      let at = encryptedHeadSize;
      for (const { src, dst, frame } of vector.frames) {
        const bytes = vectorBytes(frame);
        const route = { source: vectorPeer(src), destination: vectorPeer(dst) };
        at = writeRecord(sealed, at, route, { bytes, at: 0, length: bytes.length });
      }
      const sealer = new EncryptingSealer({ box, key, outbound: vector.sender_outbound });
      sealer.sealAs({ sequence: Number(vector.seq), df: vector.df }, sealed, at);
      expect(sealed).toEqual(datagram);
    });

    test(`is opened: ${name}`, () => {
      const opener = new DecryptingOpener({ box, key, outbound: !vector.sender_outbound });
      const buffer = new Uint8Array(datagram.length + 20);
      buffer.set(datagram, 11);
      expect(readPeerName(buffer, 11)).toBe(vectorPeer(vector.sender));
      expect(opener.open(buffer, 11, datagram.length)).toBeUndefined();
      expect(framesOf(buffer, 11 + encryptedHeadSize, 11 + datagram.length)).toEqual(vector.frames);
    });
  }

  for (const vector of vectors.decode_cases) {
    test(`is judged: ${vector.description}`, () => {
      const datagram = vectorBytes(vector.datagram);
      const opener = new DecryptingOpener({ box, key, outbound: vector.receiver_outbound });
      const fault = opener.open(datagram, 0, datagram.length);
      expect(fault !== undefined).toBe(vector.error !== "");
      if (fault !== undefined) return;
      expect(framesOf(datagram, encryptedHeadSize, datagram.length)).toEqual(vector.frames);
    });
  }

  test("starts its records where the original does", () => {
    expect(encryptedHeadSize).toBe(vectors.overheads.encrypted.packet_overhead);
    expect(plainHeadSize).toBe(vectors.overheads.plain.packet_overhead);
  });
});

describe("numbers", () => {
  const seal = (sealer: EncryptingSealer, df: boolean): Uint8Array => {
    const datagram = new Uint8Array(40);
    sealer.seal(datagram, 40, df);
    return datagram;
  };

  test("count from 0, apart for datagrams with and without DF", () => {
    const sealer = new EncryptingSealer({ box, key, outbound: true });
    const fields = [true, true, false, true, false].map((df) =>
      seal(sealer, df).subarray(6, 14).toHex(),
    );
    expect(fields).toEqual([
      "8000000000000000",
      "8000000000000001",
      "0000000000000000",
      "8000000000000002",
      "0000000000000001",
    ]);
  });

  test("of a datagram that is not authentic do not move the replay window", () => {
    const sealer = new EncryptingSealer({ box, key, outbound: true });
    const opener = new DecryptingOpener({ box, key, outbound: false });
    const good = seal(sealer, true);
    const forged = good.slice();
    forged.fill(0xff, 6, 14);
    expect(opener.open(forged, 0, 40)).toBe("notAuthentic");
    const copy = good.slice();
    expect(opener.open(good, 0, 40)).toBeUndefined();
    expect(opener.open(copy, 0, 40)).toBe("replayed");
  });
});

test("a machine that works in place gives the same octets as one that copies", () => {
  const inPlace: SecretBox = {
    ...portableSecretBox,
    sealInPlace({ buffer, at, length }, nonce, boxKey) {
      buffer.set(box.seal(buffer.slice(at + secretBoxOverhead, at + length), nonce, boxKey), at);
    },
    openInPlace({ buffer, at, length }, nonce, boxKey) {
      const plain = box.open(buffer.slice(at, at + length), nonce, boxKey);
      if (plain !== undefined) buffer.set(plain, at + secretBoxOverhead);
      return plain !== undefined;
    },
  };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 30, maxLength: 200 }), fc.boolean(), (bytes, df) => {
      const [one, two] = [bytes.slice(), bytes.slice()];
      new EncryptingSealer({ box, key, outbound: true }).seal(one, one.length, df);
      new EncryptingSealer({ box: inPlace, key, outbound: true }).seal(two, two.length, df);
      expect(two).toEqual(one);
      const opener = new DecryptingOpener({ box: inPlace, key, outbound: false });
      expect(opener.open(two, 0, two.length)).toBeUndefined();
      expect(two.subarray(encryptedHeadSize)).toEqual(bytes.subarray(encryptedHeadSize));
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("a plain link seals and opens nothing", () => {
  const datagram = fromHex("7a9febb60c6e00");
  plainSealer.seal(datagram, 7, true);
  expect(plainOpener.open(datagram, 0, 7)).toBeUndefined();
  expect(datagram.toHex()).toBe("7a9febb60c6e00");
});
