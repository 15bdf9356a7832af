import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatCharsMax, nestingMax, outputCharsMax } from "../../lib/api/template/limits.ts";
import { type Rendered, renderTemplate } from "../../lib/api/template/render.ts";
import { reportType } from "../../lib/api/template/report-type.ts";
import { cases, reports } from "./template-cases.ts";

function render(format: string): Rendered {
  return renderTemplate(format, reports.full, reportType);
}

const tooLong = "the template takes too long";
const tooLarge = `a text grows longer than ${outputCharsMax} characters`;
/** Sixteen loops within each other: 65536 turns of what stands in them. */
const often = (body: string) =>
  `${"{{range $.Router.Targets}}".repeat(16)}${body}${"{{end}}".repeat(16)}`;
const million = '{{$x := printf "%0999999d" 1}}';

describe("a template that would keep the router busy ends with an error", () => {
  test.each([
    [
      "with loops in loops",
      "{{range $.Router.Targets}}".repeat(40) + "{{end}}".repeat(40),
      tooLong,
    ],
    ["that writes on and on", often("x".repeat(1000)), tooLarge],
    ["with wide numbers", often('{{printf "%999999d" 1}}'), tooLarge],
    ["with long fractions", often('{{$x := printf "%.999999f" 1.5}}'), tooLong],
    ["with tiny fractions", often('{{$x := printf "%.2f" 5e-324}}'), tooLong],
    ["that doubles a text", `{{$x := "a"}}${"{{$x = print $x $x}}".repeat(40)}`, tooLarge],
    ["that escapes long texts", million + often("{{$y := js $x}}"), tooLong],
    ["that cuts long texts", million + often("{{$y := slice $x 1}}"), tooLong],
    ["that quotes long texts", million + often('{{$y := printf "%q" $x}}'), tooLong],
    ["that compares long texts", million + often("{{$y := lt $x (print $x)}}"), tooLong],
    [
      "with a format of a million flags",
      million + often('{{$y := printf (print "%" $x)}}'),
      tooLong,
    ],
    ["that prints the report as JSON again and again", often("{{json $}}"), tooLong],
    [
      "with thousands of variables",
      `${Array.from({ length: 2000 }, (_, at) => `{{$v${at} := 1}}`).join("")}${often("{{$y := $}}")}`,
      tooLong,
    ],
    [
      "that calls itself",
      '{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}',
      "exceeded maximum template depth (500)",
    ],
    [
      "that calls itself twice",
      '{{define "a"}}{{if .}}{{template "a" slice . 1}}{{template "a" slice . 1}}{{end}}{{end}}{{template "a" .Router.Name}}{{template "a" "0123456789012345678901234567890123456789"}}',
      tooLong,
    ],
  ])("%s", (_, format, reason) => {
    const { output, error } = render(format);
    expect(error).toEndWith(reason);
    expect(output.length).toBeLessThanOrEqual(outputCharsMax);
  });
});

describe("a template is refused", () => {
  test("when it is very long", () => {
    expect(render("x".repeat(formatCharsMax)).output).toHaveLength(formatCharsMax);
    expect(render("x".repeat(formatCharsMax + 1))).toEqual({
      output: "",
      parseError: `template: format:1: template is longer than ${formatCharsMax} characters`,
    });
  });

  test.each([
    ["parentheses", "{{", "(", "1", ")", "}}"],
    ["blocks", "", "{{if 1}}", "1", "{{end}}", ""],
  ])("when %s are nested very deep", (_, before, open, middle, close, after) => {
    const nested = (depth: number) =>
      before + open.repeat(depth) + middle + close.repeat(depth) + after;
    expect(render(nested(nestingMax))).toEqual({ output: "1" });
    const refusal = `template: format:1: nested more than ${nestingMax} deep`;
    expect(render(nested(nestingMax + 1)).parseError).toBe(refusal);
    expect(render(nested(4000)).parseError).toBe(refusal);
  });
});

describe("whatever text is sent as a template", () => {
  const formats = cases.map(({ format }) => format);
  const pieces = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    ".",
    "$x",
    "|",
    "(",
    ")",
    ":=",
    "=",
    ",",
    '"',
  ];
  const words = ["end", "else", "if", "range", "with", "define", "template", "block", "nil", "len"];
  const part = fc.oneof(
    fc.constantFrom(...pieces, ...words, "'", "`", "/*", "*/", "%", "\\", "1", "-", "e", "_", "0x"),
    fc.constantFrom(...formats),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  );
  /** A template of the table with a part put in the place of some characters. */
  const mutant = fc
    .tuple(
      fc.constantFrom(...formats),
      fc.array(fc.tuple(fc.nat(200), fc.nat(4), part), { maxLength: 4 }),
    )
    .map(([format, changes]) =>
      changes.reduce(
        (text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut),
        format,
      ),
    );
  const sane = (rendered: Rendered) => {
    const { output, error, parseError } = rendered;
    expect(typeof output).toBe("string");
    if (parseError !== undefined)
      expect({ output, error }).toEqual({ output: "", error: undefined });
    for (const message of [error, parseError]) {
      if (message !== undefined) expect(message).toMatch(/^template: format:\d+:/);
    }
  };

  test("is rendered or refused", () => {
    const texts = fc.oneof(
      mutant,
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (format) => sane(render(format))),
      { seed: 1, numRuns: 20_000 },
    );
  });

  test("meets any data without harm", () => {
    const data = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(mutant, data, (format, value) => sane(renderTemplate(format, value))),
      { seed: 2, numRuns: 5_000 },
    );
  });
});
