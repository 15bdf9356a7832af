import { describe, expect, test } from "bun:test";
import { Drawing } from "../../build/drawings/drawing.ts";
import { paletteOf, styleSheet } from "../../build/drawings/palette.ts";
import { textWidth } from "../../build/drawings/text-width.ts";
import { drawingFiles } from "../../build/drawings.ts";
import { filesUnder, textOf } from "../house/source-files.ts";
import { faultsOf } from "./well-formed.ts";

const files = drawingFiles(textOf);
const palette = paletteOf(textOf("lib/ui/page/style.css"));

describe("a drawing of the documentation", () => {
  test.each(files.map(({ path, text }) => [path, text]))(
    "%s stands alone, and is small",
    (_, text) => {
      expect(text.length).toBeLessThan(15_000);
      expect(text.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
        /https?:|url\(|@import|<script|<image|href=/,
      );
      // As HTML has it, where no element ends itself.
      expect(faultsOf(text.replaceAll(/<(\w+)([^>]*)\/>/g, "<$1$2></$1>"))).toEqual([]);
    },
  );

  test.each(files.map(({ path, text }) => [path, text]))("%s says what it shows", (_, text) => {
    expect(text).toMatch(/<title id="title">.+<\/title>/);
    expect(text).toMatch(/<desc id="desc">.{100,}<\/desc>/);
    expect(text).toContain("prefers-color-scheme:dark");
  });

  test("is shown by some page, with words in its place", () => {
    const pages = filesUnder("README.md", "docs").filter((path) => path.endsWith(".md"));
    const shown = pages.flatMap((page) => [
      ...textOf(page).matchAll(/!\[([^\]]{20,})\]\((?:docs\/)?(images\/[\w-]+\.svg)\)/g),
    ]);
    const paths = new Set(shown.map(([, , path]) => `docs/${path}`));
    expect(files.map(({ path }) => path).filter((path) => !paths.has(path))).toEqual([]);
  });

  test("has the page's colours, of both kinds", () => {
    expect(palette.light.get("owner3")).toBe("#1f6fb5");
    const style = styleSheet(palette, new Set(["container"] as const));
    const [light, dark] = style.split("@media");
    expect(light).toContain(".container{stroke:#1f6fb5}");
    expect(dark).toContain(`.container{stroke:${palette.dark.get("owner3")}}`);
    expect(() => paletteOf("body { color: red }")).toThrow("lost its colours");
  });
});

describe("what cannot be read is not drawn", () => {
  const head = { name: "x", title: "X", description: "x", height: 100 };
  const drawn = (draw: (drawing: Drawing) => void) => () => {
    const drawing = new Drawing(head);
    draw(drawing);
    return drawing.svg(palette);
  };
  const box = { x: 10, y: 10, width: 60, height: 40 };

  test.each([
    [
      "a text that is longer than its box",
      (drawing: Drawing) => void drawing.box(box, { label: "much too long", tone: "kernel" }),
      "drawing x: 'much too long' needs",
    ],
    [
      "one that is cut off",
      (drawing: Drawing) => drawing.text({ x: 470, y: 50 }, "outside"),
      "'outside' is cut off",
    ],
    [
      "two that meet",
      (drawing: Drawing) => {
        drawing.text({ x: 200, y: 50 }, "first");
        drawing.text({ x: 210, y: 55 }, "second");
      },
      "'first' meets 'second'",
    ],
    [
      "one on the edge of a box",
      (drawing: Drawing) => {
        drawing.box(box, { label: "a", tone: "kernel" });
        drawing.text({ x: 70, y: 20 }, "word");
      },
      "'word' meets the edge of a box",
    ],
  ])("%s", (_, draw, message) => {
    expect(drawn(draw)).toThrow(message);
  });

  test("what has room is, with its texts escaped", () => {
    const svg = drawn((drawing) => void drawing.box(box, { label: "a<b", tone: "news" }))();
    expect(svg).toContain("a&lt;b</text>");
  });

  test("widths are those of a wide font: more than a narrow one takes", () => {
    expect(textWidth("weave", 14)).toBeGreaterThan(38);
    expect(textWidth("illi", 14)).toBeLessThan(textWidth("mmmm", 14) / 2);
  });
});
