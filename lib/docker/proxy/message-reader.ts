import { concatBytes } from "../../base/bytes.ts";
import { WeaveError } from "../../base/errors.ts";
import { type BodyLength, bodyEnd } from "./body.ts";
import type { ByteStream } from "./byte-stream.ts";
import { HttpHead, headBytesMax, headEnd } from "./http-head.ts";

/** Heads and bodies, read from a connection. What follows them stays there. */

/** Bodies that are read whole: descriptions of containers, which are some kilobytes. */
export const bufferedBodyBytesMax = 4 << 20;

/**
 * The next head; `undefined` when the connection ends before another begins.
 *
 * @throws WeaveError `HTTP_HEAD_LONG`, `HTTP_HEAD`, `HTTP_CUT`
 */
export async function readHead(stream: ByteStream): Promise<HttpHead | undefined> {
  const read = new GrowingBytes();
  for (;;) {
    const more = await stream.read();
    if (more === undefined) {
      if (read.length === 0) return undefined;
      throw new WeaveError("HTTP_CUT", "the connection ended within a head");
    }
    const looked = read.length;
    const bytes = read.append(more);
    const end = headEnd(bytes, looked);
    if (end > headBytesMax || (end === -1 && bytes.length > headBytesMax)) {
      throw new WeaveError("HTTP_HEAD_LONG", `a head has more than ${headBytesMax} octets`);
    }
    if (end === -1) continue;
    stream.unread(bytes.subarray(end));
    return HttpHead.parse(bytes.subarray(0, end));
  }
}

/** Octets that come in pieces, however small, with room for as many again as there are. */
class GrowingBytes {
  #room = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All there are by now. */
  append(more: Uint8Array): Uint8Array {
    const length = this.#length + more.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#room.subarray(0, this.#length));
      this.#room = larger;
    }
    this.#room.set(more, this.#length);
    this.#length = length;
    return this.#room.subarray(0, length);
  }
}

/**
 * Passes a body on as it comes. False when the receiver takes no more of it, or it was cut short.
 *
 * @throws WeaveError `HTTP_BODY`
 */
export async function passBody(
  from: ByteStream,
  to: ByteStream,
  length: BodyLength,
): Promise<boolean> {
  const end = bodyEnd(length);
  while (!end.isOver) {
    const bytes = await from.read();
    if (bytes === undefined) return false;
    const taken = end.take(bytes);
    from.unread(bytes.subarray(taken));
    if (taken > 0 && !(await to.write(bytes.subarray(0, taken)))) return false;
  }
  return true;
}

/**
 * A whole body without its framing.
 *
 * @throws WeaveError `HTTP_BODY`, `HTTP_BODY_LONG`, `HTTP_CUT`
 */
export async function readBody(stream: ByteStream, length: BodyLength): Promise<Uint8Array> {
  const body = await readShortBody(stream, length);
  if (body === undefined) throw tooLong();
  return body;
}

/**
 * The same; of one that is too long everything is put back, to be passed on, and the result is
 * `undefined`.
 *
 * @throws WeaveError `HTTP_BODY`, `HTTP_CUT`
 */
export async function readShortBody(
  stream: ByteStream,
  length: BodyLength,
): Promise<Uint8Array | undefined> {
  if (length.kind === "length" && length.bytes > bufferedBodyBytesMax) return undefined;
  const end = bodyEnd(length);
  const [framed, parts]: [Uint8Array[], Uint8Array[]] = [[], []];
  let size = 0;
  while (!end.isOver) {
    const bytes = await stream.read();
    if (bytes === undefined) throw new WeaveError("HTTP_CUT", "the connection ended within a body");
    const taken = end.take(bytes, (data) => {
      size += data.length;
      parts.push(data);
    });
    stream.unread(bytes.subarray(taken));
    framed.push(bytes.subarray(0, taken));
    if (size > bufferedBodyBytesMax) {
      stream.unread(concatBytes(...framed));
      return undefined;
    }
  }
  return concatBytes(...parts);
}

function tooLong(): WeaveError {
  return new WeaveError(
    "HTTP_BODY_LONG",
    `the description of a container has more than ${bufferedBodyBytesMax} octets`,
    { remedy: "leave out what makes it so long: weave has to read all of it" },
  );
}
