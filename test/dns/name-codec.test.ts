import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { makeEntry } from "../../lib/dns/entry.ts";
import { decodeNames, encodeNames } from "../../lib/dns/name-codec.ts";
import { GobDecoder, gob } from "../../lib/wire/gob.ts";
import { fuzz } from "../fuzz/mutate.ts";
import vectors from "../vectors/dns/gossip.json";
import shapes from "../vectors/mesh/channel-payload-shapes.json";
import { fromVector, otherName, toVector, type VectorEntry } from "./names.ts";

describe("recorded bodies of channel nameserver", () => {
  for (const vector of vectors.cases) {
    test(`${vector.name} is read and written to the octet`, () => {
      const message = decodeNames(fromHex(vector.hex));
      expect(message.timestampS).toBe(vector.Timestamp);
      expect(message.entries.map(toVector)).toEqual(vector.Entries);
      const shuffled = vector.Entries.map(fromVector).reverse();
      expect(encodeNames(shuffled, vector.Timestamp).map(toHex)).toEqual([vector.hex]);
    });
  }

  for (const vector of vectors.decode_tolerance) {
    test(`${vector.name} is understood`, () => {
      const message = decodeNames(fromHex(vector.hex));
      expect(message.timestampS).toBe(vector.Timestamp);
      expect(message.entries.map(toVector)).toEqual(vector.Entries);
    });
  }

  for (const vector of vectors.envelopes) {
    test(`the payload within a recorded ${vector.name} message is read`, () => {
      const envelope = fromHex(vector.hex);
      expect(envelope[0]).toBe(vector.protocol_tag);
      const outer = new GobDecoder(envelope.subarray(1));
      expect(outer.read(gob.string)).toBe(vector.channel);
      expect(outer.read(gob.uint)).toBe(parsePeerName(vector.source));
      const payload = outer.read(gob.bytes);
      expect(toHex(payload)).toBe(vector.payload_hex);
      const message = decodeNames(payload);
      expect(encodeNames(message.entries, message.timestampS).map(toHex)).toEqual([
        vector.payload_hex,
      ]);
    });
  }
});

interface Shape {
  readonly name: string;
  readonly channel: string;
  readonly hex: string;
  readonly meaning: { readonly Timestamp?: number; readonly Entries?: readonly VectorEntry[] };
}

for (const { name, channel, hex, meaning } of shapes.payloads as readonly Shape[]) {
  if (channel !== "nameserver") continue;
  test(`a payload of the original has all the meaning stated: ${name}`, () => {
    const message = decodeNames(fromHex(hex));
    expect(message.timestampS).toBe(meaning.Timestamp!);
    expect(message.entries.map(toVector)).toEqual([...meaning.Entries!]);
  });
}

const entry = makeEntry({
  containerId: "c1",
  origin: otherName,
  address: 0x0a200001,
  hostname: "foo.weave.local.",
  version: 0,
  tombstone: 0,
});

describe("what is never sent", () => {
  test("an identity twice: the later state is said", () => {
    const later = { ...entry, version: 1, tombstone: 1_700_000_000 };
    const [payload] = encodeNames([entry, later], 0);
    expect(decodeNames(payload!).entries).toEqual([later]);
  });

  test("a name under two spellings: the live one is said, else the one that died last", () => {
    const twin = makeEntry({ ...entry, hostname: "Foo.weave.local.", version: 1, tombstone: 7 });
    expect(decodeNames(encodeNames([twin, entry], 0)[0]!).entries).toEqual([entry]);
    const dead = { ...entry, version: 3, tombstone: 9 };
    expect(decodeNames(encodeNames([dead, twin], 0)[0]!).entries).toEqual([dead]);
  });
});

test("a table beyond one mesh message is said in several", () => {
  const many = Array.from({ length: 60_000 }, (_, index) => ({
    ...entry,
    address: index,
    containerId: "c".repeat(64),
  }));
  const payloads = encodeNames(many, 5);
  expect(payloads.length).toBeGreaterThan(1);
  for (const payload of payloads) expect(payload.length).toBeLessThan(10 << 20);
  expect(payloads.flatMap((payload) => [...decodeNames(payload).entries])).toHaveLength(60_000);
});

test("entries that no peer can have meant are left out and counted", () => {
  const absurd = [
    entry,
    makeEntry({ ...entry, hostname: "x".repeat(2000) }),
    { ...entry, containerId: "\ufffd" },
    { ...entry, address: 9, version: 2 ** 53 - 1 },
  ];
  const message = decodeNames(encodeNames(absurd, 0)[0]!);
  expect(message.entries).toEqual([entry]);
  expect(message.refused).toBe(3);
});

test("100 000 damaged bodies are read or refused with a stated error", () => {
  const corpus = vectors.cases.map((vector) => fromHex(vector.hex));
  fuzz(1, corpus, 100_000, (mutant) => {
    try {
      decodeNames(mutant);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  });
});
