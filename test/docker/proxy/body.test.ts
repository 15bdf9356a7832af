import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { answerBodyLength, bodyEnd, requestBodyLength } from "../../../lib/docker/proxy/body.ts";
import { HttpHead } from "../../../lib/docker/proxy/http-head.ts";

const head = (...fields: string[]) => HttpHead.of("POST / HTTP/1.1", ...fields);

describe("the length of a body", () => {
  test("of a request is said, in chunks, or nothing", () => {
    expect(requestBodyLength(head())).toEqual({ kind: "length", bytes: 0 });
    expect(requestBodyLength(head("content-length: 7"))).toEqual({ kind: "length", bytes: 7 });
    expect(requestBodyLength(head("Content-Length: 7", "Content-Length: 7"))).toEqual({
      ...{ kind: "length", bytes: 7 },
    });
    const both = head("Content-Length: 7", "Transfer-Encoding: Chunked");
    expect(requestBodyLength(both)).toEqual({ kind: "chunked" });
  });

  test.each([
    ["Content-Length: -1"],
    ["Content-Length: 1, 2"],
    ["Content-Length: 99999999999999999999"],
    ["Content-Length: 0x10"],
    ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: identity"],
  ])("is not %p", (field) => {
    expect(() => requestBodyLength(head(field))).toThrow();
  });

  test("of an answer depends on what it answers", () => {
    const seven = head("Content-Length: 7");
    expect(answerBodyLength("HEAD", 200, seven)).toEqual({ kind: "length", bytes: 0 });
    expect(answerBodyLength("GET", 304, seven)).toEqual({ kind: "length", bytes: 0 });
    expect(answerBodyLength("GET", 204, head())).toEqual({ kind: "length", bytes: 0 });
    expect(answerBodyLength("GET", 200, seven)).toEqual({ kind: "length", bytes: 7 });
    expect(answerBodyLength("POST", 200, head())).toEqual({ kind: "until-close" });
  });
});

/** A body in chunks of these sizes, with what follows it. */
function chunked(sizes: readonly number[], extension: string, trailer: string) {
  const data = sizes.map((size, at) => String.fromCharCode(97 + (at % 26)).repeat(size));
  const chunks = data.map((each) => `${each.length.toString(16)}${extension}\r\n${each}\r\n`);
  return { payload: data.join(""), wire: `${chunks.join("")}0\r\n${trailer}\r\n` };
}

describe("a body in chunks", () => {
  test("ends where it ends, however it is cut into pieces", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom("", ";x=y", " "),
        fc.constantFrom("", "X: y\r\n"),
        (sizes, pieces, extension, trailer) => {
          const { payload, wire } = chunked(sizes, extension, trailer);
          const bytes = Buffer.from(`${wire}GET / next`);
          const end = bodyEnd({ kind: "chunked" });
          let found = "";
          let at = 0;
          for (let piece = 0; !end.isOver; piece++) {
            const part = bytes.subarray(at, at + pieces[piece % pieces.length]!);
            at += end.take(part, (data) => {
              found += Buffer.from(data).toString();
            });
          }
          expect({ at, found }).toEqual({ at: wire.length, found: payload });
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  test("may have a chunk of any size, of which nothing is kept", () => {
    const end = bodyEnd({ kind: "chunked" });
    end.take(Buffer.from("1fffffffffffff\r\n"));
    const part = new Uint8Array(1 << 20);
    for (let round = 0; round < 100; round++) expect(end.take(part)).toBe(part.length);
    expect(end.isOver).toBe(false);
  });

  test.each([
    ["g\r\n", "no size of a chunk"],
    ["\r\n", "no size of a chunk"],
    ["-1\r\n", "no size of a chunk"],
    ["ffffffffffffffff\r\n", "no size of a chunk"],
    ["1\r\nab\r\n", "longer than it says"],
    ["1".repeat(5000), "a line is too long"],
    [`0\r\n${"x: y\r\n".repeat(20_000)}`, "trailer is too long"],
  ])("%p is refused", (wire, why) => {
    expect(() => bodyEnd({ kind: "chunked" }).take(Buffer.from(wire))).toThrow(why);
  });
});
