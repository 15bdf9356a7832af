import { WeaveError } from "../../base/errors.ts";
import type { HttpHead } from "./http-head.ts";

/** Where the body of a message ends (RFC 9112 §6), found while its octets pass. */

/** Chunks have sizes of 64 bits in theory, and extensions that nobody sends. */
const sizeLineBytesMax = 4096;
const trailerBytesMax = 64 << 10;

/** How the end of a body is told. */
export type BodyLength =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** Answers only: with the connection, so that nothing after it is a message. */
  | { readonly kind: "until-close" };

const noBody: BodyLength = { kind: "length", bytes: 0 };

/** @throws WeaveError `HTTP_BODY` */
export function requestBodyLength(head: HttpHead): BodyLength {
  const codings = head.tokens("Transfer-Encoding");
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0] !== "chunked") {
      throw new WeaveError("HTTP_BODY", `a body cannot be coded as ${codings.join(", ")}`);
    }
    // Servers of HTTP/1.0 know of no chunks, and engines then go by the length (RFC 9112 §6.1).
    if (head.startLine.endsWith("HTTP/1.0")) {
      throw new WeaveError("HTTP_BODY", "a request of HTTP/1.0 has no body in chunks");
    }
    return { kind: "chunked" };
  }
  return declaredLength(head) ?? noBody;
}

/** @param method of the request that is answered @throws WeaveError `HTTP_BODY` */
export function answerBodyLength(method: string, status: number, head: HttpHead): BodyLength {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return noBody;
  if (head.tokens("Transfer-Encoding").at(-1) === "chunked") return { kind: "chunked" };
  return declaredLength(head) ?? { kind: "until-close" };
}

/** Said several times it must be the same. */
function declaredLength(head: HttpHead): BodyLength | undefined {
  const values = new Set(head.tokens("Content-Length"));
  if (values.size === 0) return undefined;
  const [text = ""] = values;
  const bytes = Number(text);
  if (values.size > 1 || !/^\d+$/.test(text) || !Number.isSafeInteger(bytes)) {
    throw new WeaveError("HTTP_BODY", `"${[...values].join(", ")}" is no length of a body`);
  }
  return { kind: "length", bytes };
}

/** Finds the end of one body in octets that are handed in as they come. */
export interface BodyEnd {
  /**
   * How many octets at the start of `bytes` belong to the body: all of them, unless it ends there.
   *
   * @param payload called with what is data and no framing
   * @throws WeaveError `HTTP_BODY`
   */
  take(bytes: Uint8Array, payload?: (data: Uint8Array) => void): number;
  readonly isOver: boolean;
}

export function bodyEnd(length: BodyLength): BodyEnd {
  switch (length.kind) {
    case "length":
      return new CountedBody(length.bytes);
    case "chunked":
      return new ChunkedBody();
    case "until-close":
      return new CountedBody(Number.POSITIVE_INFINITY);
  }
}

class CountedBody implements BodyEnd {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get isOver(): boolean {
    return this.#left === 0;
  }

  take(bytes: Uint8Array, payload?: (data: Uint8Array) => void): number {
    const taken = Math.min(bytes.length, this.#left);
    this.#left -= taken;
    if (taken > 0) payload?.(bytes.subarray(0, taken));
    return taken;
  }
}

const lineFeed = 0x0a;

/**
 *   size ──▶ data ──▶ after ─┐      size    hexadecimal, extensions, line end
 *    ▲ │                     │      data    as many octets
 *    └─┼─────────────────────┘      after   line end
 *      └─ 0 ──▶ trailer ──▶ over    trailer field lines, and an empty one
 */
class ChunkedBody implements BodyEnd {
  #state: "size" | "data" | "after" | "trailer" | "over" = "size";
  /** The line so far, without what cannot matter. */
  #line = "";
  #left = 0;
  #trailerBytes = 0;

  get isOver(): boolean {
    return this.#state === "over";
  }

  take(bytes: Uint8Array, payload?: (data: Uint8Array) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "over") {
      if (this.#state === "data") {
        const end = at + Math.min(this.#left, bytes.length - at);
        payload?.(bytes.subarray(at, end));
        this.#left -= end - at;
        if (this.#left === 0) this.#state = "after";
        at = end;
      } else at = this.#takeLine(bytes, at);
    }
    return at;
  }

  #takeLine(bytes: Uint8Array, from: number): number {
    const end = bytes.indexOf(lineFeed, from);
    const part = bytes.subarray(from, end === -1 ? bytes.length : end);
    if (this.#line.length + part.length > sizeLineBytesMax) throw malformed("a line is too long");
    this.#line += String.fromCharCode(...part);
    if (end === -1) return bytes.length;
    const line = this.#line.replace(/\r$/, "");
    this.#line = "";
    this.#lineIsWhole(line);
    return end + 1;
  }

  #lineIsWhole(line: string): void {
    if (this.#state === "after") {
      if (line !== "") throw malformed("a chunk is longer than it says");
      this.#state = "size";
    } else if (this.#state === "size") {
      this.#left = chunkBytes(line);
      this.#state = this.#left === 0 ? "trailer" : "data";
    } else {
      this.#trailerBytes += line.length + 2;
      if (this.#trailerBytes > trailerBytesMax) throw malformed("its trailer is too long");
      if (line === "") this.#state = "over";
    }
  }
}

function chunkBytes(line: string): number {
  const text = /^([0-9A-Fa-f]+)[ \t]*(?:;.*)?$/.exec(line)?.[1];
  const bytes = text === undefined ? Number.NaN : Number.parseInt(text, 16);
  if (!Number.isSafeInteger(bytes)) throw malformed(`"${line.slice(0, 40)}" is no size of a chunk`);
  return bytes;
}

function malformed(why: string): WeaveError {
  return new WeaveError("HTTP_BODY", `a body in chunks is malformed: ${why}`);
}
