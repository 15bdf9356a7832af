import { describe, expect, test } from "bun:test";
import { fromUtf8 } from "../../lib/base/bytes.ts";
import {
  countedFrame,
  encodeSyslogMessage,
  type SyslogMessage,
} from "../../lib/wire/syslog-message.ts";

const message = (change: Partial<SyslogMessage> = {}): SyslogMessage => ({
  ...{ facility: "daemon", severity: "notice", atMs: Date.UTC(2026, 0, 2, 15, 4, 5, 7) },
  ...{ host: "host1", program: "weave", process: "4711", kind: "link.lost", text: "lost" },
  data: { id: "weave@32473", parameters: [["peer", "7a:00:00:00:00:01"]] },
  ...change,
});

const text = (change: Partial<SyslogMessage>): string =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(encodeSyslogMessage(message(change)));

describe("a message of syslog", () => {
  test("is what RFC 5424 says, octet for octet", () => {
    const head = "<29>1 2026-01-02T15:04:05.007Z host1 weave 4711 link.lost ";
    const data = '[weave@32473 peer="7a:00:00:00:00:01"] ';
    const octets = [...Buffer.from(head + data), 0xef, 0xbb, 0xbf, ...Buffer.from("lost")];
    expect([...encodeSyslogMessage(message())]).toEqual(octets);
  });

  test.each([
    ["daemon", "warning", "<28>1 "],
    ["user", "info", "<14>1 "],
    ["authpriv", "notice", "<85>1 "],
    ["local7", "info", "<190>1 "],
  ] as const)("of %s, %s begins with %s", (facility, severity, start) => {
    expect(text({ facility, severity })).toStartWith(start);
  });

  test("has a hyphen for what is not known, and no blank or umlaut in its head", () => {
    expect(text({ host: "", process: "", kind: "" })).toContain("Z - weave - - [");
    expect(text({ host: "a b\u00e9\n" })).toContain(" a?b?? weave ");
  });

  test("keeps the bounds of its parts", () => {
    const long = "x".repeat(3000);
    const parts = text({ host: long, program: long, process: long, kind: long }).split(" ");
    expect(parts.slice(2, 6).map(({ length }) => length)).toEqual([255, 48, 128, 32]);
    const parameters = [[long, long]] as const;
    expect(text({ text: long, data: { id: "a@1", parameters } }).length).toBeLessThan(1800);
  });

  test("has a backslash before what would end a value, and none before anything else", () => {
    const parameters = [
      ['a b=]"c', String.raw`"quoted" [x] C:\n`],
      ["", "üñ\n☃"],
    ] as const;
    expect(text({ data: { id: "a@1", parameters } })).toContain(
      `${String.raw`[a@1 a_b___c="\"quoted\" [x\] C:\\n"`} _="üñ ☃"] `,
    );
  });

  test("is one line of proper UTF-8, whatever is told", () => {
    const octets = encodeSyslogMessage(
      message({ text: `a\r\nb\u0000\u001b[2J\ud800${"😀".repeat(2000)}` }),
    );
    expect(() => fromUtf8(octets)).not.toThrow();
    expect(fromUtf8(octets)).toMatch(/a {2}b {2}\[2J\ufffd😀+\ufffd?…$/u);
  });

  test("goes over a stream with its length in octets before it", () => {
    const framed = countedFrame(encodeSyslogMessage(message({ text: "é" })));
    const whole = fromUtf8(framed);
    const [, length] = /^(\d+) </.exec(whole)!;
    expect(framed.length).toBe(Number(length) + `${length} `.length);
  });
});
