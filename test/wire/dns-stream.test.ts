import { expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes } from "../../lib/base/bytes.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { DnsStream, withLength } from "../../lib/wire/dns-stream.ts";
import { chunks } from "../fuzz/mutate.ts";

test("messages come out whole and in order, wherever the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.nat(), (messages, seed) => {
      const stream = new DnsStream();
      const whole = concatBytes(...messages.map(withLength));
      const read: Uint8Array[] = [];
      for (const chunk of chunks(seededRandom(seed), whole)) read.push(...stream.push(chunk));
      expect(read).toEqual(messages);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a message of the largest size passes, octets of the caller's buffer are not kept", () => {
  const stream = new DnsStream();
  const framed = withLength(new Uint8Array(65_535).fill(7));
  expect(stream.push(framed.subarray(0, 60_000))).toEqual([]);
  const rest = framed.slice(60_000);
  const [message] = stream.push(rest);
  rest.fill(0);
  expect(message).toEqual(new Uint8Array(65_535).fill(7));
});
