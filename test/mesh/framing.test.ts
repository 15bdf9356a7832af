import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes, fromHex, toHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { type Framing, frameMaxBytes, GobFraming, LengthFraming } from "../../lib/mesh/framing.ts";
import { MessageCodec } from "../../lib/mesh/message-codec.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";
import { chunks, fuzz } from "../fuzz/mutate.ts";
import vectors from "../vectors/mesh/gossip-messages.json";

const versions: ReadonlyArray<[string, (received: ReceiveBuffer) => Framing]> = [
  ["version 1", (received) => new GobFraming(received)],
  ["version 2", (received) => new LengthFraming(received)],
];

function readAll(framing: Framing): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = framing.next(); frame !== undefined; frame = framing.next()) frames.push(frame);
  return frames;
}

describe.each(versions)("%s", (_, newFraming) => {
  test("any chunking of the stream gives the same messages", () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(contents, fc.nat(), (sent, seed) => {
        const received = new ReceiveBuffer();
        const framing = newFraming(received);
        const stream = concatBytes(...sent.map((content) => framing.wrap(content)));
        const got: Uint8Array[] = [];
        for (const chunk of chunks(seededRandom(seed), stream)) {
          received.push(chunk);
          got.push(...readAll(framing));
        }
        expect(got).toEqual(sent);
        expect(received.length).toBe(0);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("exactly 10 MiB of content are accepted", () => {
    const received = new ReceiveBuffer();
    const framing = newFraming(received);
    received.push(framing.wrap(new Uint8Array(frameMaxBytes).fill(5)));
    expect(framing.next()?.length).toBe(frameMaxBytes);
  });

  test("a declared length allocates nothing and is refused before its octets come", () => {
    const received = new ReceiveBuffer();
    const framing = newFraming(received);
    received.push(framing.wrap(new Uint8Array(frameMaxBytes + 64)).subarray(0, 20));
    expect(() => framing.next()).toThrow(/^incoming message exceeds maximum size: 10485/);
  });

  test("a lower bound holds for the frame that it is asked for", () => {
    const received = new ReceiveBuffer();
    const framing = newFraming(received);
    received.push(framing.wrap(new Uint8Array(100)));
    received.push(framing.wrap(new Uint8Array(400)));
    expect(framing.next(100)?.length).toBe(100);
    expect(() => framing.next(100)).toThrow(
      /^incoming message exceeds maximum size: 40\d > 1\d\d$/,
    );
  });

  test("damaged streams are read or refused, never fatal", () => {
    const wrapped = newFraming(new ReceiveBuffer());
    const corpus = vectors.messages.map((vector) =>
      concatBytes(wrapped.wrap(fromHex(vector.hex)), wrapped.wrap(Uint8Array.of(0))),
    );
    fuzz(41, corpus, 30_000, (mutant) => {
      const received = new ReceiveBuffer();
      received.push(mutant);
      try {
        readAll(newFraming(received));
      } catch (error) {
        if (!(error instanceof WeaveError)) throw error;
      }
    });
  });
});

test("version 2: one octet more than 10 MiB is refused by its length alone", () => {
  const received = new ReceiveBuffer();
  received.push(fromHex("00a00001"));
  expect(() => new LengthFraming(received).next()).toThrow(
    "incoming message exceeds maximum size: 10485761 > 10485760",
  );
});

test("version 2: frames equal those of the original", () => {
  const framing = new LengthFraming(new ReceiveBuffer());
  for (const vector of [...vectors.messages, ...vectors.simple]) {
    expect(toHex(framing.wrap(fromHex(vector.hex)))).toBe(vector.v2FrameHexUnencrypted);
  }
});

test("version 1: a heartbeat is five octets", () => {
  expect(toHex(new GobFraming(new ReceiveBuffer()).wrap(Uint8Array.of(0)))).toBe("040a000100");
});

test("version 1: a value of another type is refused", () => {
  for (const hex of ["040c000161", "03060005", "00", "ff"]) {
    const received = new ReceiveBuffer();
    received.push(concatBytes(fromHex(hex), new Uint8Array(16)));
    expect(() => new GobFraming(received).next()).toThrow(WeaveError);
  }
});

test("a sealed message has 16 octets less room in its frame", () => {
  const received = new ReceiveBuffer();
  const key = seededRandom(1).fill(new Uint8Array(32));
  const framing = new LengthFraming(received);
  const sender = new MessageCodec(received, framing, { key, outbound: true });
  const receiver = new MessageCodec(received, framing, { key, outbound: false });
  expect(new MessageCodec(received, framing, undefined).messageMaxBytes).toBe(frameMaxBytes);
  expect(sender.messageMaxBytes).toBe(frameMaxBytes - 16);
  receiver.push(sender.encode(new Uint8Array(sender.messageMaxBytes)));
  expect(receiver.next()?.length).toBe(sender.messageMaxBytes);
  expect(() => sender.encode(new Uint8Array(frameMaxBytes - 15))).toThrow("fits a frame");
  // What was refused used no message number.
  receiver.push(sender.encode(Uint8Array.of(0)));
  expect(receiver.next()).toEqual(Uint8Array.of(0));
});

test("sealed messages that were damaged on the way are refused, never delivered", () => {
  const key = seededRandom(1).fill(new Uint8Array(32));
  const sent = fromHex(vectors.messages[0]!.hex);
  const codecOf = (outbound: boolean) => {
    const received = new ReceiveBuffer();
    return new MessageCodec(received, new LengthFraming(received), { key, outbound });
  };
  fuzz(42, [codecOf(true).encode(sent)], 20_000, (mutant) => {
    const receiver = codecOf(false);
    receiver.push(mutant);
    try {
      const first = receiver.next();
      if (first !== undefined) expect(first).toEqual(sent);
      receiver.next();
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  });
});
