import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes, fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import {
  channelNameMaxLength,
  decodeMessage,
  encodeMessage,
  type OutgoingMessage,
  type ProtocolMessage,
} from "../../lib/mesh/protocol-message.ts";
import { fuzz } from "../fuzz/mutate.ts";
import vectors from "../vectors/mesh/gossip-messages.json";

type Vector = (typeof vectors.messages)[number];

function expected(vector: Vector): OutgoingMessage {
  const { channel } = vector;
  const payload = fromHex(vector.payloadHex);
  const name = parsePeerName(vector.source);
  if (vector.tag === 4) return { kind: "gossip", channel, sender: name, payload };
  if (vector.tag === 6) return { kind: "broadcast", channel, origin: name, payload };
  const destination = parsePeerName(vector.destination ?? "");
  return { kind: "unicast", channel, origin: name, destination, payload };
}

describe("messages recorded from the original", () => {
  for (const vector of vectors.messages) {
    test(`${vector.name}: reads as stated and is written alike`, () => {
      const bytes = fromHex(vector.hex);
      const message = expected(vector);
      expect(decodeMessage(bytes)).toEqual(
        message.kind === "unicast" ? { ...message, received: bytes } : message,
      );
      expect(toHex(encodeMessage(message))).toBe(vector.hex);
    });

    test(`${vector.name}: octets after the last value are ignored`, () => {
      const padded = concatBytes(fromHex(vector.hex), fromHex("ff00"));
      expect(decodeMessage(padded)).toMatchObject(expected(vector));
    });

    const isUnicast = vector.tag === 5;
    test(`${vector.name}: cut short anywhere it is ${isUnicast ? "passed over" : "refused"}`, () => {
      const bytes = fromHex(vector.hex);
      for (let length = 1; length < bytes.length; length++) {
        const read = () => decodeMessage(bytes.subarray(0, length));
        if (isUnicast) expect(read()).toMatchObject({ kind: "unknown", tag: 5 });
        else expect(read).toThrow(WeaveError);
      }
    });
  }

  for (const vector of vectors.simple) {
    test(vector.name, () => {
      expect(decodeMessage(fromHex(vector.hex))).toEqual({ kind: "heartbeat" });
      expect(toHex(encodeMessage({ kind: "heartbeat" }))).toBe(vector.hex);
    });
  }
});

test("the content of a heartbeat is ignored", () => {
  expect(decodeMessage(fromHex("00deadbeef"))).toEqual({ kind: "heartbeat" });
});

test("overlay messages reach the overlay untouched, however short", () => {
  for (const tag of [1, 2, 3, 7] as const) {
    for (const body of [fromHex(""), fromHex("00"), fromHex("ff03058e")]) {
      const message: ProtocolMessage = { kind: "control", tag, body };
      expect(decodeMessage(concatBytes(Uint8Array.of(tag), body))).toEqual(message);
      expect(encodeMessage(message)).toEqual(concatBytes(Uint8Array.of(tag), body));
    }
  }
});

test("tags of later generations are told apart and not refused", () => {
  for (const tag of [8, 9, 127, 128, 255]) {
    expect(decodeMessage(Uint8Array.of(tag, 1, 2, 3))).toEqual({ kind: "unknown", tag });
  }
});

test("a unicast in unusual form is relayed octet by octet", () => {
  // The origin's name with leading zeros, and octets after the payload.
  const unusual = fromHex(
    "05 03 0c 00 00 0b 06 00 f8 00007a9febb60c6e 03 06 00 01 04 0a 00 01 aa ee".replaceAll(" ", ""),
  );
  const message = decodeMessage(unusual);
  expect(message).toMatchObject({ kind: "unicast", channel: "", destination: 1 });
  if (message.kind !== "unicast") throw new Error("not a unicast");
  expect(encodeMessage(message)).toEqual(unusual);
});

test("a name of more than 48 bits is refused", () => {
  expect(() =>
    decodeMessage(fromHex("04030c00000a0600f90100000000000003 0a0000".replace(" ", ""))),
  ).toThrow("does not fit 48 bits");
});

test("a digest need not say when it was made", () => {
  const silent = {
    kind: "digest",
    channel: "topology",
    payload: fromHex("aa"),
    unixMs: 0,
  } as const;
  const said = encodeMessage({ ...silent, unixMs: 1_700_000_000_000 });
  expect(encodeMessage(silent)).toHaveLength(said.length - 10);
  expect(decodeMessage(encodeMessage(silent), new Set(["digests"]))).toEqual(silent);
});

test("every message reads back as it was written", () => {
  const name = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((value) => value as PeerName);
  const payload = fc.uint8Array({ maxLength: 300 });
  const message: fc.Arbitrary<OutgoingMessage> = fc.oneof(
    fc.record({
      kind: fc.constant("gossip" as const),
      channel: fc.string(),
      sender: name,
      payload,
    }),
    fc.record({
      kind: fc.constant("broadcast" as const),
      channel: fc.string(),
      origin: name,
      payload,
    }),
    fc.record({
      kind: fc.constant("unicast" as const),
      channel: fc.string(),
      origin: name,
      destination: name,
      payload,
    }),
    fc.record({
      kind: fc.constant("digest" as const),
      channel: fc.string(),
      payload,
      unixMs: fc.maxSafeNat(),
    }),
    fc.record({ kind: fc.constant("linkCounts" as const), body: payload }),
    fc.record({ kind: fc.constant("inquiry" as const), channel: fc.string(), payload }),
  );
  fc.assert(
    fc.property(message, (sent) => {
      expect(decodeMessage(encodeMessage(sent), new Set(["digests", "link-counts"]))).toMatchObject(
        sent,
      );
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("damaged messages are read or refused, never fatal", () => {
  const corpus = vectors.messages.map((vector) => fromHex(vector.hex));
  fuzz(11, corpus, 60_000, (mutant) => {
    if (mutant.length === 0) return;
    try {
      decodeMessage(mutant);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  });
});

test("of a channel's name no more is kept than shows that it is too long", () => {
  const channel = "n".repeat(1 << 20);
  const body = { channel, payload: utf8("x") };
  const sent = encodeMessage({ kind: "gossip", sender: parsePeerName("::1"), ...body });
  const read = decodeMessage(sent);
  if (read.kind !== "gossip") throw new Error("not gossip");
  expect(read.channel).toBe("n".repeat(channelNameMaxLength + 1));
  expect(read.payload).toEqual(utf8("x"));
});

test("a unicast that cannot be read is not laid to the neighbour, which may only pass it on", () => {
  const [origin, destination] = [parsePeerName("::1"), parsePeerName("::2")];
  const whole = encodeMessage({
    ...{ kind: "unicast", channel: "words", origin, destination, payload: utf8("hello") },
  });
  expect(decodeMessage(whole.subarray(0, -3))).toMatchObject({ kind: "unknown", tag: 5 });
});
