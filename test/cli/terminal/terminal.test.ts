import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clip, clipLine, fitText, lineWidth, widthOf } from "../../../lib/cli/terminal/fit.ts";
import { asciiGlyphs, glyphsOf, unicodeGlyphs } from "../../../lib/cli/terminal/glyphs.ts";
import { KeyReader } from "../../../lib/cli/terminal/keys.ts";
import {
  countText,
  rateText,
  roundTripText,
  sparkline,
} from "../../../lib/cli/terminal/quantities.ts";
import { lineText, span } from "../../../lib/cli/terminal/spans.ts";
import { layOut } from "../../../lib/cli/terminal/table.ts";

describe("text in columns", () => {
  test("counts what characters take, and cuts between them", () => {
    expect(widthOf("日本語")).toBe(6);
    expect(clip("日本語", 6, "…")).toBe("日本語");
    expect(clip("日本語", 5, "…")).toBe("日本…");
    expect(clip("日本語", 4, "…")).toBe("日…");
    expect(clip("e\u0301e\u0301e\u0301", 2, "…")).toBe("e\u0301…");
    expect(clip("abc", 0, "…")).toBe("");
    expect(fitText("ab", 4, "…")).toBe("ab  ");
    expect(fitText("ab", 4, "…", true)).toBe("  ab");
    expect(fitText("日本", 3, "…")).toBe("日…");
  });

  test("whatever it is, never takes more than there are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, columns) => {
        const line = clipLine([span("ab"), span(text), span("cd")], columns, "…");
        expect(lineWidth(line)).toBeLessThanOrEqual(columns);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("has colours where they are wanted, and nothing of its own that a terminal obeys", () => {
    const line = [span("a\u001b[31mb\r\n", "bad"), span("c\u202e")];
    expect(lineText(line, false)).toBe("a\ufffd[31mb\ufffd\ufffdc\ufffd");
    expect(lineText(line, true)).toBe("\u001b[31ma\ufffd[31mb\ufffd\ufffd\u001b[0mc\ufffd");
  });
});

describe("a table", () => {
  const columns = [
    { title: "NAME", rank: 0, leastWidth: 4 },
    { title: "STATE", rank: 1 },
    { title: "N", rank: 2, isRight: true },
  ];
  const rows = [
    [span("a-long-name"), span("up"), span("12")],
    [span("b"), span("down"), span("3")],
  ];
  const drawn = (width: number): string[] => {
    const { heading, line } = layOut(columns, rows, width, "…");
    return [heading, ...rows.map(line)].map((each) => lineText(each, false));
  };

  test("is as wide as its cells where there is room", () => {
    expect(drawn(80)).toEqual([
      "NAME         STATE   N",
      "a-long-name  up     12",
      "b            down    3",
    ]);
  });

  test("narrows what may be narrowed, then leaves out what matters least", () => {
    expect(drawn(18)).toEqual(["NAME     STATE   N", "a-long…  up     12", "b        down    3"]);
    expect(drawn(12)).toEqual(["NAME   STATE", "a-lo…  up   ", "b      down "]);
    expect(drawn(5)).toEqual(["NAME ", "a-lo…", "b    "]);
  });
});

describe("keys", () => {
  const names = (...pieces: string[]): string[] => {
    const reader = new KeyReader();
    const keys = pieces.flatMap((piece) => reader.push(new TextEncoder().encode(piece)));
    return [...keys, ...reader.settle()].map((key) =>
      key.name === "character" ? key.character : key.name,
    );
  };

  test("are read from what terminals send for them, however it is cut", () => {
    expect(names("q\u001b[A\u001bOB\u001b[5~\u001b[1;5C\t\r\u007f\u0003é日")).toEqual([
      "q",
      "up",
      "down",
      "pageUp",
      "right",
      "tab",
      "enter",
      "erase",
      "interrupt",
      "é",
      "日",
    ]);
    expect(names("\u001b", "[", "6", "~", "x")).toEqual(["pageDown", "x"]);
  });

  test("of which Escape is one when nothing follows", () => {
    expect(names("\u001b")).toEqual(["escape"]);
    expect(names("\u001bx")).toEqual(["escape", "x"]);
  });

  test("that are unknown, or go on without end, are none", () => {
    expect(names("\u001b[99~\u001b[?1;2c\u0001a")).toEqual(["a"]);
    expect(names(`\u001b[${"1".repeat(100)}`, "a")).toEqual(["a"]);
  });

  test("come in any pieces without harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(39), (octets, at) => {
        const reader = new KeyReader();
        reader.push(octets.subarray(0, at));
        reader.push(octets.subarray(at));
        reader.settle();
        expect(reader.isWaiting).toBe(false);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("quantities", () => {
  test("are short enough to be read at a glance", () => {
    const rates = [undefined, 0, 12.4, 999, 999.6, 1234, 12_345, 9.96e6, 3.2e9];
    expect(rates.map(rateText)).toEqual([
      "-",
      "0 B/s",
      "12 B/s",
      "999 B/s",
      "1.0 kB/s",
      "1.2 kB/s",
      "12 kB/s",
      "10 MB/s",
      "3.2 GB/s",
    ]);
    const trips = [undefined, 0.314, 3.14, 31.4, 3140];
    expect(trips.map(roundTripText)).toEqual(["-", "0.31 ms", "3.1 ms", "31 ms", "3.1 s"]);
    expect([0, 999, 1000, 1_048_576].map(countText)).toEqual(["0", "999", "1,000", "1,048,576"]);
  });

  test("are bars beside each other, of which the highest fills its place", () => {
    const { steps } = unicodeGlyphs;
    expect(sparkline([0, 50, 100, undefined], 6, steps)).toBe("   ▄█ ");
    expect(sparkline([1, 2, 3], 2, steps)).toBe("▆█");
    expect(sparkline([1], 3, asciiGlyphs.steps)).toBe("  @");
  });
});

test("pictures are drawn with what the locale can write", () => {
  expect(glyphsOf({ LANG: "de_DE.UTF-8" })).toBe(unicodeGlyphs);
  expect(glyphsOf({ LANG: "C.utf8" })).toBe(unicodeGlyphs);
  expect(glyphsOf({ LANG: "de_DE.UTF-8", LC_ALL: "C" })).toBe(asciiGlyphs);
  expect(glyphsOf({ LC_CTYPE: "C.UTF-8", LANG: "C" })).toBe(unicodeGlyphs);
  expect(glyphsOf({})).toBe(asciiGlyphs);
  expect(glyphsOf({ LANG: "C.UTF-8", TERM: "linux" })).toBe(asciiGlyphs);
});
