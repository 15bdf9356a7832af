import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { GobInput } from "../../lib/wire/gob/number.ts";
import {
  decodeGob,
  encodeGob,
  GobDecoder,
  GobEncoder,
  GobError,
  GobStream,
  type GobType,
  gob,
} from "../../lib/wire/gob.ts";
import shapes from "../vectors/mesh/channel-payload-shapes.json";
import vectors from "../vectors/mesh/gob-values.json";
import gossip from "../vectors/mesh/gossip-messages.json";
import updates from "../vectors/mesh/topology-updates.json";
import variants from "../vectors/mesh/topology-variants.json";

interface Primitive {
  decode(bytes: Uint8Array): unknown;
  encode(value: string | boolean | number): Uint8Array;
}

function primitive<T>(type: GobType<T>, parse: (value: string | boolean | number) => T): Primitive {
  return {
    decode: (bytes) => decodeGob(type, bytes),
    encode: (value) => encodeGob(type, parse(value)),
  };
}

const primitives: Record<string, Primitive> = {
  uint: primitive(gob.uint64, (value) => BigInt(value)),
  int: primitive(gob.int64, (value) => BigInt(value)),
  bool: primitive(gob.bool, (value) => value === true),
  string: primitive(gob.string, (value) => String(value)),
  bytes: primitive(gob.bytes, (value) => fromHex(String(value))),
};

/** Values as the vector files write them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? toHex(value) : value;
}

const proposer = gob.struct("", { Name: gob.uint, UID: gob.uint64 });
const proposal = gob.struct("ProposalID", { Round: gob.uint, Proposer: proposer });
const claims = gob.struct("", {
  Promise: proposal,
  Accepted: proposal,
  AcceptedVal: gob.struct("", { Value: gob.slice(gob.uint), Origin: proposal }),
});
const state = gob.struct("gossipState", {
  Now: gob.int,
  Nicknames: gob.map(gob.uint, gob.string),
  Paxos: gob.optional(gob.map(proposer, claims)),
  Ring: gob.optional(
    gob.struct("Ring", {
      Start: gob.uint,
      End: gob.uint,
      Peer: gob.uint,
      Entries: gob.slice(
        gob.struct("", { Token: gob.uint, Peer: gob.uint, Version: gob.uint, Free: gob.uint }),
      ),
      Seeds: gob.slice(gob.uint),
    }),
  ),
});

describe("gob primitives", () => {
  for (const { name, gobType, value, hex } of vectors.values) {
    test(`${name} is written and read as the original does`, () => {
      expect(toHex(primitives[gobType]!.encode(value))).toBe(hex);
      expect(plain(primitives[gobType]!.decode(fromHex(hex)))).toEqual(value);
    });
  }

  test("several values share one stream", () => {
    const decoder = new GobDecoder(fromHex(vectors.sequence.hex));
    const read = [decoder.read(gob.string), decoder.read(gob.uint64), decoder.read(gob.bytes)];
    expect(read.map(plain)).toEqual(vectors.sequence.values.map(({ value }) => value));
    expect(decoder.ended).toBe(true);
    const encoder = new GobEncoder()
      .write(gob.string, "topology")
      .write(gob.uint, 134827272965230)
      .write(gob.bytes, fromHex("010203"));
    expect(toHex(encoder.bytes())).toBe(vectors.sequence.hex);
  });

  for (const entry of vectors.leniency) {
    test(`${entry.name}: ${entry.accepted ? "accepted" : "refused"}`, () => {
      const read = (): unknown => primitives[entry.into]!.decode(fromHex(entry.hex));
      if (entry.accepted) expect(plain(read())).toEqual(entry.value);
      else expect(read).toThrow(GobError);
    });
  }
});

interface StatedMessage {
  readonly hex: string;
  readonly kind: string;
  readonly length: number;
  readonly typeId: number;
  readonly bodyHex: string;
}

describe("gob streams recorded from the original", () => {
  const streams: readonly (readonly StatedMessage[])[] = [
    vectors.sequence.messages,
    ...vectors.maps.map(({ messages }) => messages),
    ...shapes.payloads.map(({ messages }) => messages),
    ...gossip.messages.map(({ bodyMessages }) => bodyMessages),
    ...updates.updates.map(({ messages }) => messages),
    ...variants.cases.flatMap(({ messages }) => (messages === undefined ? [] : [messages])),
  ];

  test("are the messages stated: length, type id, body", () => {
    for (const stated of streams) {
      const input = new GobInput(fromHex(stated.map(({ hex }) => hex).join("")));
      for (const { length, typeId, kind, bodyHex } of stated) {
        expect(input.uint()).toBe(length);
        const end = input.at + length;
        expect(input.int()).toBe(typeId);
        expect(kind).toBe(typeId < 0 ? "typedef" : "value");
        expect(toHex(input.bytes.subarray(input.at, end))).toBe(bodyHex);
        input.at = end;
      }
      expect(input.remaining).toBe(0);
    }
    expect(streams.length).toBeGreaterThan(40);
  });
});

describe("gob maps and structs", () => {
  const text = gob.map(gob.string, gob.string);
  for (const { hex, value } of vectors.maps) {
    test(`map of ${Object.keys(value).length} texts`, () => {
      expect(Object.fromEntries(decodeGob(text, fromHex(hex)))).toEqual(value);
      // The order of pairs is free, so only maps of one pair have one encoding.
      if (Object.keys(value).length < 2) {
        expect(toHex(encodeGob(text, Object.entries(value)))).toBe(hex);
      }
    });
  }

  for (const payload of shapes.payloads.filter((each) => each.prefixHex === "")) {
    if (payload.channel !== "IPallocation") continue;
    test(`${payload.name} survives decoding and encoding`, () => {
      const value = decodeGob(state, fromHex(payload.hex));
      expect(value.Now).toBe(payload.meaning.Now ?? 0);
      expect(decodeGob(state, encodeGob(state, value))).toEqual(value);
    });
  }

  test("an absent map and an empty one are told apart", () => {
    const type = gob.struct("T", { Map: gob.optional(gob.map(gob.uint, gob.uint)) });
    expect(decodeGob(type, encodeGob(type, { Map: undefined })).Map).toBeUndefined();
    expect(decodeGob(type, encodeGob(type, { Map: [] })).Map).toEqual([]);
  });

  test("ids are given in Go's order", () => {
    const definitions: number[] = [];
    const decoder = encodeGob(state, decodeGob(state, fromHex(shapes.payloads[0]!.hex)));
    for (let at = 0; at < decoder.length; at += decoder[at]! + 1) {
      // 0xff announces one octet of −id, written as 2·id − 1.
      if (decoder[at + 1] === 0xff && decoder[at + 2]! % 2 === 1) {
        definitions.push((decoder[at + 2]! + 1) / 2);
      }
    }
    expect(definitions).toEqual([65, 66, 72, 67, 68, 69, 70, 71, 73, 75, 74, 76]);
  });
});

describe("gob lists that end early", () => {
  const item = gob.struct("Item", { N: gob.uint });

  test("are refused, not filled up with empty structs", () => {
    const list = gob.slice(item);
    const whole = encodeGob(list, [{ N: 1 }, { N: 2 }, { N: 3 }]);
    // The last message is length, id, marker, count, three structs of three octets each.
    const cut = whole.slice(0, -3);
    cut[whole.length - 14] = whole[whole.length - 14]! - 3;
    expect(() => decodeGob(list, cut)).toThrow("data ends inside a list");
  });
});

describe("gob streams in pieces", () => {
  const text = gob.map(gob.string, gob.string);
  const whole = new GobEncoder()
    .write(text, [["Name", "::1"]])
    .write(gob.bytes, fromHex("00"))
    .write(gob.bytes, new Uint8Array(300))
    .bytes();

  test("any cut gives the same values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 8 }), (cuts) => {
        const stream = new GobStream();
        const values: unknown[] = [];
        let last = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), whole.length]) {
          stream.push(whole.subarray(last, cut));
          last = cut;
          for (;;) {
            const next = values.length === 0 ? stream.tryRead(text) : stream.tryRead(gob.bytes);
            if (next === undefined) break;
            values.push(next.value);
          }
        }
        expect(values).toEqual([[["Name", "::1"]], fromHex("00"), new Uint8Array(300)]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("a message over the limit is refused before it arrives", () => {
    const stream = new GobStream({ messageBytesMax: 100 });
    stream.push(fromHex("fe0100"));
    expect(() => stream.tryRead(gob.bytes)).toThrow("message of 256 octets");
  });
});

describe("gob under attack", () => {
  const seeds = [
    ...vectors.maps.map((each) => each.hex),
    ...shapes.payloads.map((each) => each.hex),
  ].map(fromHex);

  test("damaged streams only ever give a value or a GobError", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.nat(),
        (seed, changes, cut) => {
          const damaged = seed.slice(0, seed.length - (cut % 5));
          for (const [at, value] of changes) damaged[at % damaged.length] = value;
          try {
            decodeGob(state, damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(GobError);
          }
        },
      ),
      { seed: 2, numRuns: 20_000 },
    );
  });

  test("a definition that contains itself ends at the nesting limit", () => {
    // Type 65: struct with one field of type 65, nested by its own value.
    const definition = "15ff8103010101ff82000101010153 01ff820000".replaceAll(" ", "");
    const length = (definition.length / 2 - 1).toString(16).padStart(2, "0");
    const nested = "01".repeat(80);
    const value = `ff82${nested}`;
    const stream = fromHex(
      `${length}${definition.slice(2)}${(value.length / 2).toString(16).padStart(2, "0")}${value}`,
    );
    const type = gob.struct("T", { Other: gob.uint });
    expect(() => decodeGob(type, stream)).toThrow(GobError);
  });
});
