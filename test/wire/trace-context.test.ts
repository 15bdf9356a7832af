import { describe, expect, test } from "bun:test";
import { formatTraceparent, parseTraceparent } from "../../lib/wire/trace-context.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

describe("a traceparent", () => {
  test("is written as in the examples of W3C Trace Context", () => {
    for (const [isSampled, flags] of [
      [true, "01"],
      [false, "00"],
    ] as const) {
      const context = { traceId: trace, spanId: span, isSampled };
      expect(formatTraceparent(context)).toBe(`00-${trace}-${span}-${flags}`);
      expect(parseTraceparent(`00-${trace}-${span}-${flags}`)).toEqual(context);
    }
  });

  test("of a later version is read as far as it is known", () => {
    const context = { traceId: trace, spanId: span, isSampled: true };
    expect(parseTraceparent(`cc-${trace}-${span}-09-what-follows`)).toEqual(context);
    expect(parseTraceparent(`cc-${trace}-${span}-09`)).toEqual(context);
  });

  test.each([
    "",
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `cc-${trace}-${span}-01more`,
    `00-${"0".repeat(32)}-${span}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}-1`,
    `00-${trace}${span}-01`,
    ` 00-${trace}-${span}-01`,
  ])("is not %p", (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
