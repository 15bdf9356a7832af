import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HttpHead, headEnd, requestLine, statusOf } from "../../../lib/docker/proxy/http-head.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const text = (head: HttpHead) => Buffer.from(head.bytes()).toString("latin1");
const parse = (source: string) => HttpHead.parse(bytes(source));

/** As docker 28 sends it. */
const create =
  "POST /v1.51/containers/create?name=c1 HTTP/1.1\r\nHost: api.moby.localhost\r\n" +
  "User-Agent: Docker-Client/28.5.2 (linux)\r\nContent-Length: 27\r\n" +
  "Content-Type: application/json\r\n\r\n";

describe("the head of a message", () => {
  test.each([
    create,
    "GET / HTTP/1.1\nhost:x\n\n",
    "HTTP/1.1 200 OK\r\nX-Odd:  \xe9 \r\nX-Long: a\r\n  b\r\n\r\n",
    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n",
  ])("%p is printed as it came", (source) => {
    expect(text(parse(source))).toBe(source);
  });

  test("keeps every line that is not edited", () => {
    const edited = parse("PUT / HTTP/1.1\r\nHOST:a\r\nX:  y \r\n\r\n")
      .without("host", "absent")
      .with("Host", "b");
    expect(text(edited)).toBe("PUT / HTTP/1.1\r\nX:  y \r\nHost: b\r\n\r\n");
  });

  test("gives values without blanks, and lists as their elements", () => {
    const head = parse("GET / HTTP/1.1\r\nConnection: Keep-Alive, Upgrade\r\nconnection:x\r\n\r\n");
    expect(head.values("Connection")).toEqual(["Keep-Alive, Upgrade", "x"]);
    expect(head.tokens("CONNECTION")).toEqual(["keep-alive", "upgrade", "x"]);
    expect(requestLine(head)).toEqual({ method: "GET", target: "/" });
    expect(statusOf(parse("HTTP/1.1 304 Not Modified\r\n\r\n"))).toBe(304);
  });

  test.each([
    "\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\na b: c\r\n\r\n",
    "GET / HTTP/1.1\r\n: c\r\n\r\n",
    "GET / HTTP/1.1\r\nx: \0\r\n\r\n",
    "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
  ])("%p is refused", (source) => {
    expect(() => parse(source)).toThrow("no head of an HTTP message");
  });

  test.each(["GET /", "GET / HTTP/2.0", "GET /a b HTTP/1.1", "GE/T / HTTP/1.1"])(
    "%p is no request",
    (line) => {
      expect(() => requestLine(parse(`${line}\r\n\r\n`))).toThrow("no request of HTTP/1");
    },
  );

  test("ends where it ends, wherever it is cut", () => {
    const whole = bytes(`${create}{"Image":"bb"}`);
    fc.assert(
      fc.property(fc.nat(create.length - 1), (cut) => {
        expect(headEnd(whole.subarray(0, cut))).toBe(-1);
        expect(headEnd(whole, cut)).toBe(create.length);
      }),
      { seed: 1, numRuns: 300 },
    );
    expect(headEnd(bytes("a\n\nb"))).toBe(3);
    expect(headEnd(bytes("a\n\r\nb"))).toBe(4);
    expect(headEnd(bytes("a\r\n\r"))).toBe(-1);
  });
});
