import { describe, expect, test } from "bun:test";
import { toHex } from "../../lib/base/bytes.ts";
import { ByteWriter } from "../../lib/wire/byte-writer.ts";
import { writeMessage } from "../../lib/wire/gob/message.ts";
import { writeInt } from "../../lib/wire/gob/number.ts";
import { type WireType, writeWireType } from "../../lib/wire/gob/wire-type.ts";
import { decodeGob, encodeGob, GobDecoder, GobEncoder, gob } from "../../lib/wire/gob.ts";

const point = gob.struct("point", { X: gob.int, Y: gob.int });
const line = gob.struct("line", { From: point, To: point, Tags: gob.slice(gob.string) });

/** A stream of definitions and one value of type `id` with this body. */
function streamOf(definitions: ReadonlyArray<[number, WireType]>, id: number, body: number[]) {
  const out = new ByteWriter();
  for (const [defined, type] of definitions) {
    writeMessage(out, () => {
      writeInt(out, -defined);
      writeWireType(out, defined, "", type);
    });
  }
  writeMessage(out, () => {
    writeInt(out, id);
    for (const octet of body) out.byte(octet);
  });
  return out.finish();
}

function structOf(...names: string[]): WireType {
  return { kind: "struct", fields: names.map((name) => ({ name, id: 2 })) };
}

describe("definitions that are known from earlier streams", () => {
  test("mean in each stream what that stream says", () => {
    const first = streamOf([[65, structOf("X", "Y")]], 65, [1, 2, 1, 4, 0]);
    const second = streamOf([[65, structOf("Y", "X")]], 65, [1, 2, 1, 4, 0]);
    for (let again = 0; again < 3; again++) {
      expect(decodeGob(point, first)).toEqual({ X: 1, Y: 2 });
      expect(decodeGob(point, second)).toEqual({ X: 2, Y: 1 });
    }
  });

  test("are not those of a stream that defined something else before", () => {
    const other: [number, WireType] = [66, structOf("Z")];
    const both = streamOf([other, [65, structOf("X")]], 65, [1, 2, 0]);
    expect(decodeGob(point, both)).toEqual({ X: 1, Y: 0 });
    expect(() => decodeGob(point, streamOf([[65, structOf("X")]], 66, [1, 2, 0]))).toThrow();
    expect(decodeGob(point, both)).toEqual({ X: 1, Y: 0 });
  });

  test("cannot be given twice in one stream, however often they were seen", () => {
    const twice: Array<[number, WireType]> = [
      [65, structOf("X")],
      [65, structOf("X")],
    ];
    for (let again = 0; again < 3; again++) {
      expect(() => decodeGob(point, streamOf(twice, 65, [0]))).toThrow(/defined again/);
    }
  });

  test("are read all the same when more were seen than are remembered", () => {
    for (let each = 0; each < 2000; each++) {
      const bytes = streamOf([[65, structOf(`Odd${each}`, "X")]], 65, [2, 6, 0]);
      expect(decodeGob(point, bytes)).toEqual({ X: 3, Y: 0 });
    }
    expect(decodeGob(point, encodeGob(point, { X: -7, Y: 9 }))).toEqual({ X: -7, Y: 9 });
  });
});

describe("a stream that is written", () => {
  const value = { From: { X: 1, Y: 2 }, To: { X: 3, Y: 4 }, Tags: ["a"] };

  test("defines its types anew, whatever other streams did", () => {
    const first = encodeGob(line, value);
    new GobEncoder().write(point, value.From).write(line, value).bytes();
    expect(toHex(encodeGob(line, value))).toBe(toHex(first));
  });

  test("defines each type once", () => {
    const one = new GobEncoder().write(line, value).bytes();
    const two = new GobEncoder().write(line, value).write(line, value).write(point, value.To);
    const bytes = two.bytes();
    expect(bytes.length).toBeLessThan(one.length + 40);
    const stream = new GobDecoder(bytes);
    expect([stream.read(line), stream.read(line)]).toEqual([value, value]);
    expect(stream.read(point)).toEqual(value.To);
    expect(stream.ended).toBe(true);
  });

  test("has messages of any length", () => {
    for (const length of [0, 1, 120, 127, 128, 300, 70_000, 17_000_000]) {
      const bytes = new Uint8Array(length).fill(7);
      expect(decodeGob(gob.bytes, encodeGob(gob.bytes, bytes)).length).toBe(length);
    }
  });

  test("gives values of their own, also where nothing was sent", () => {
    const list = gob.struct("list", { Items: gob.slice(gob.int), Mark: gob.bytes });
    const empty = encodeGob(list, { Items: [], Mark: new Uint8Array() });
    const [a, b] = [decodeGob(list, empty), decodeGob(list, empty)];
    a.Items.push(1);
    expect(b).toEqual({ Items: [], Mark: new Uint8Array() });
    expect(list.zero().Items).toEqual([]);
  });
});

test("numbers of every size survive", () => {
  const all = gob.struct("all", { I: gob.int, J: gob.int64, U: gob.uint, V: gob.uint64 });
  for (let bit = 0; bit < 64; bit++) {
    for (const near of [-1n, 0n, 1n]) {
      const wide = BigInt.asUintN(64, 2n ** BigInt(bit) + near);
      const safe = Number(BigInt.asUintN(Math.min(bit + 1, 53), wide));
      for (const sign of [1, -1]) {
        const value = {
          I: sign * safe,
          J: BigInt.asIntN(64, wide * BigInt(sign)),
          U: safe,
          V: wide,
        };
        expect(decodeGob(all, encodeGob(all, value))).toEqual({ ...value, I: value.I || 0 });
      }
    }
  }
});
