import { expect, test } from "bun:test";
import fc from "fast-check";
import { concatBytes, emptyBytes } from "../../lib/base/bytes.ts";
import { ReceiveBuffer } from "../../lib/mesh/receive-buffer.ts";

test("octets come out as they went in, whatever the sizes of pushes and takes", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 9000 }) }),
    fc.record({ take: fc.nat({ max: 9000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const buffer = new ReceiveBuffer();
      let model: Uint8Array = emptyBytes;
      for (const action of steps) {
        if ("push" in action) {
          buffer.push(action.push);
          model = concatBytes(model, action.push);
        } else {
          expect(buffer.peek(action.take)).toEqual(model.subarray(0, action.take));
          expect(buffer.take(action.take)).toEqual(model.slice(0, action.take));
          model = model.subarray(action.take);
        }
        expect(buffer.length).toBe(model.length);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("what was taken does not change when more arrives", () => {
  const buffer = new ReceiveBuffer();
  buffer.push(Uint8Array.of(1, 2, 3));
  const taken = buffer.take(3);
  buffer.push(Uint8Array.of(9, 9, 9));
  expect(taken).toEqual(Uint8Array.of(1, 2, 3));
});

test("ten megabytes in single octets take no more than linear time", () => {
  const buffer = new ReceiveBuffer();
  const octet = Uint8Array.of(7);
  for (let count = 0; count < 10_000_000; count++) buffer.push(octet);
  expect(buffer.take(10_000_000).length).toBe(10_000_000);
}, 5000);
