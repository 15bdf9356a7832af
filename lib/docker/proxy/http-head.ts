import { WeaveError } from "../../base/errors.ts";

/**
 * The head of an HTTP/1.1 message (RFC 9112 §2), octet for octet as it came but for what is edited.
 *
 *   POST /v1.41/containers/create?name=c1 HTTP/1.1␍␊     start line
 *   Host: api.moby.localhost␍␊                           field lines; one that begins with a blank
 *   Content-Length: 27␍␊                                 belongs to the line before it
 *   ␍␊                                                   the end; ␊ alone ends a line as well
 */
/** As engines have it: a build carries what its client knows of every registry in one field. */
export const headBytesMax = 1 << 20;

/** Octets one to one, for heads may have any above 127 in their values. */
const latin1 = { decode: fromLatin1, encode: toLatin1 };

export class HttpHead {
  /** With their ends, the empty line not among them. */
  readonly #lines: readonly string[];
  readonly #end: string;

  private constructor(lines: readonly string[], end: string) {
    this.#lines = lines;
    this.#end = end;
  }

  /** @param bytes up to the empty line and with it @throws WeaveError `HTTP_HEAD` */
  static parse(bytes: Uint8Array): HttpHead {
    const lines = latin1.decode(bytes).match(/[^\n]*\n/g) ?? [];
    const end = lines.pop() ?? "";
    const joined: string[] = [];
    for (const line of lines) {
      if (/^[ \t]/.test(line) && joined.length > 1) joined.push(joined.pop() + line);
      else joined.push(line);
    }
    const isProper = joined.slice(1).every((line) => /^[^\s:\0]+:[^\0]*$/.test(line));
    if (joined[0] === undefined || !isProper) {
      throw new WeaveError("HTTP_HEAD", "what came is no head of an HTTP message");
    }
    return new HttpHead(joined, end);
  }

  /** Of lines without ends. */
  static of(...lines: readonly string[]): HttpHead {
    return new HttpHead(
      lines.map((line) => `${line}\r\n`),
      "\r\n",
    );
  }

  get startLine(): string {
    return this.#lines[0]!.replace(/\r?\n$/, "");
  }

  /** All values of a field, without blanks around them. */
  values(name: string): string[] {
    return this.#lines.slice(1).flatMap((line) => {
      const colon = line.indexOf(":");
      return isNamed(line, name) ? [line.slice(colon + 1).trim()] : [];
    });
  }

  /** The elements of a field that is a list, in lower case. */
  tokens(name: string): string[] {
    return this.values(name)
      .flatMap((value) => value.split(","))
      .map((token) => token.trim().toLowerCase())
      .filter((token) => token !== "");
  }

  without(...names: readonly string[]): HttpHead {
    const kept = this.#lines.filter(
      (line, at) => at === 0 || !names.some((name) => isNamed(line, name)),
    );
    return new HttpHead(kept, this.#end);
  }

  /** With one more field at the end. */
  with(name: string, value: string): HttpHead {
    return new HttpHead([...this.#lines, `${name}: ${value}\r\n`], this.#end);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return latin1.encode(this.#lines.join("") + this.#end);
  }
}

function isNamed(line: string, name: string): boolean {
  return (
    line[name.length] === ":" && line.slice(0, name.length).toLowerCase() === name.toLowerCase()
  );
}

/** Method and target of a request. @throws WeaveError `HTTP_HEAD` */
export function requestLine({ startLine }: HttpHead): { method: string; target: string } {
  const match = /^([!#$%&'*+.^_`|~\w-]+) (\S+) HTTP\/1\.[01]$/.exec(startLine);
  if (match === null) throw new WeaveError("HTTP_HEAD", "what came is no request of HTTP/1");
  return { method: match[1]!, target: match[2]! };
}

/** @throws WeaveError `HTTP_HEAD` */
export function statusOf({ startLine }: HttpHead): number {
  const match = /^HTTP\/1\.[01] ([1-9]\d\d)(?: .*)?$/.exec(startLine);
  if (match === null) throw new WeaveError("HTTP_HEAD", "what came is no answer of HTTP/1");
  return Number(match[1]);
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Where the head at the start of `bytes` ends; −1 when more octets are needed.
 *
 * @param from how many octets were looked at before, without finding it
 */
export function headEnd(bytes: Uint8Array, from = 0): number {
  // What was looked at may have ended within the end.
  let at = bytes.indexOf(lineFeed, Math.max(0, from - 2));
  while (at !== -1) {
    const next = bytes[at + 1] === carriageReturn ? at + 2 : at + 1;
    if (bytes[next] === lineFeed) return next + 1;
    at = bytes.indexOf(lineFeed, at + 1);
  }
  return -1;
}

function fromLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function toLatin1(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
