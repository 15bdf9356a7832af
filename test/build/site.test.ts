import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { highlight } from "../../build/site/highlight.ts";
import { textOfHtml } from "../../build/site/html.ts";
import { problemsOf } from "../../build/site/links.ts";
import { anchorOf, renderMarkdown } from "../../build/site/markdown.ts";
import { hrefBetween, referenceOf, targetOf } from "../../build/site/paths.ts";
import type { SearchEntry } from "../../build/site/search-index.ts";
import { buildSite } from "../../build/site.ts";
import { textOf } from "../house/source-files.ts";
import { faultsOf } from "./well-formed.ts";

describe("the site of the documentation", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-site-"));
  let pages: string[];
  const html = (page: string): string => readFileSync(join(folder, page), "utf8");

  // Fails on links that lead nowhere.
  beforeAll(async () => {
    await buildSite(folder);
    // The playground is a page of its own kind, made elsewhere.
    pages = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".html") && path !== "playground.html")
      .sort();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Pages for which something is not as it should be, with what it is. */
  const faults = (find: (html: string, page: string) => readonly string[]): string[] =>
    pages.flatMap((page) => find(html(page), page).map((fault) => `${page}: ${fault}`));

  test("has the simulator as a page, to which every other leads", () => {
    expect(html("playground.html")).toStartWith("<!doctype html>");
    expect(faults((text) => (text.includes("playground.html") ? [] : ["no link"]))).toEqual([]);
  });

  test("has the pages that the index lists, and those of changes and requests", () => {
    expect(pages).toContain("index.html");
    expect(pages).toContain("first-network.html");
    expect(pages).toContain("changelog.html");
    expect(pages).toContain("licenses/index.html");
    for (const path of Object.keys(JSON.parse(textOf("docs/openapi.json")).paths)) {
      expect(textOfHtml(html("openapi.html"))).toContain(path);
    }
  });

  test("is well-formed", () => {
    expect(faults(faultsOf)).toEqual([]);
  });

  test("can be read by who does not see it: one heading, landmarks, names, no level left out", () => {
    const missing = faults((text) => {
      const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
      const levels = [...text.matchAll(/<h([1-6]) /g)].map(([, level]) => Number(level));
      const checks: Record<string, boolean> = {
        "no language": text.includes('<html lang="en"'),
        "not one main part": count(/<main /g) === 1,
        "not one heading of level 1": levels.filter((level) => level === 1).length === 1,
        "a nav without a name": count(/<nav [^>]*aria-label="[^"]+"/g) === count(/<nav /g),
        "an image without words": !/<img [^>]*alt=""/.test(text),
        "a level left out": levels.every((level, at) => level <= (levels[at - 1] ?? 0) + 1),
        "no way around the navigation": text.includes('<a class="skip" href="#main">'),
      };
      return Object.keys(checks).filter((name) => !checks[name]);
    });
    expect(missing).toEqual([]);
  });

  test("asks nobody else for anything, and finds all that it asks for", () => {
    const strange = faults((text, page) =>
      [...text.matchAll(/<(?:img|script|link)\b[^>]* (?:src|href)="([^"]*)"/g)]
        .map(([, path]) => path!)
        .filter((path) => path !== "data:,")
        .filter((path) => !existsSync(join(folder, dirname(page), path))),
    );
    expect(strange).toEqual([]);
    for (const file of ["site.css", "site.js"]) {
      expect(html(file)).not.toMatch(/https?:|url\(|@import|fetch\(/);
    }
  });

  test("has titles that tell pages apart", () => {
    const titles = pages.map((page) => /<title>(.*?)<\/title>/.exec(html(page))![1]!);
    expect(new Set(titles).size).toBe(titles.length);
  });

  test("is searched by an index whose every entry leads somewhere", () => {
    const script = html("search.js");
    const entries = JSON.parse(script.slice(script.indexOf("["), -2)) as SearchEntry[];
    const lost = entries.filter(({ u }) => {
      const [page, anchor] = u.split("#") as [string, string?];
      return !pages.includes(page) || (anchor && !html(page).includes(` id="${anchor}"`));
    });
    expect(lost).toEqual([]);
    expect(entries.find(({ h }) => h === "Another password")?.u).toBe(
      "security.html#another-password",
    );
    expect(script.length).toBeLessThan(1_000_000);
  });
});

describe("a page of Markdown", () => {
  const render = (text: string) => renderMarkdown(text, (href) => href);

  test("shows neither comments nor for whom its commands are", () => {
    const { html } = render(
      "<!-- run: host1\nweave launch\n-->\n\n```sh host1 docker\nweave ps\n```",
    );
    expect(textOfHtml(html)).toBe("weave ps");
    expect(html).toContain("<figcaption>on host1</figcaption>");
  });

  test("leaves the text of links to what the site does not have", () => {
    const { html, links } = renderMarkdown("[a](../b.ts) ![c](d.png)", () => undefined);
    expect(html).toBe("<p>a c</p>\n");
    expect(links).toEqual(["../b.ts", "d.png"]);
  });

  test("shows what looks like an element as it is written", () => {
    expect(textOfHtml(render("| a |\n|---|\n| <host>[:<port>] |").html)).toBe("a <host>[:<port>]");
  });

  test.each([
    ["A first network", "a-first-network"],
    ["Found out: `--mtu auto`", "found-out---mtu-auto"],
    ["`sleeve-aes-gcm/1`", "sleeve-aes-gcm1"],
    ["What [this](x.md) is", "what-this-is"],
  ])("has anchors as GitHub makes them: %s", (heading, anchor) => {
    expect(anchorOf(heading)).toBe(anchor);
  });

  test("tells headings of one name apart", () => {
    const { headings } = render("# A\n\n## B\n\n## B");
    expect(headings.map(({ anchor }) => anchor)).toEqual(["a", "b", "b-1"]);
  });

  test.each(["sh", "json", "yaml", "output", ""])(
    "keeps its code whatever its colours: %s",
    (to) => {
      const code = 'a: "b" # <c> & $D --e\n{"f": -1.5, "g": null} | h $(i) \'j\'\n';
      expect(
        highlight(code, to)
          .replace(/<[^>]*>/g, "")
          .replaceAll("&quot;", '"'),
      ).toBe(code.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"));
    },
  );
});

describe("a link", () => {
  test("leads to the file of the site that its page is made to", () => {
    expect(targetOf("docs/licenses/README.md")).toBe("licenses/index.html");
    expect(targetOf("docs/images/page.png")).toBe("images/page.png");
    expect(referenceOf("../CHANGELOG.md#x", "docs/a.md")).toEqual({
      source: "CHANGELOG.md",
      anchor: "x",
    });
    expect(referenceOf("https://example.org/a", "docs/a.md")).toBeUndefined();
    expect(hrefBetween("licenses/index.html", "a.html", "b")).toBe("../a.html#b");
    expect(hrefBetween("a.html", "a.html", "b")).toBe("#b");
  });

  test("that leads nowhere is named, and so is a page that nobody links", () => {
    const page = (source: string, text: string) => ({
      source,
      target: targetOf(source),
      rendered: renderMarkdown(text, (href) => href),
    });
    const pages = [
      page("docs/README.md", "# Index\n\n[a](a.md) [b](b.png) [c](c.md#x) [d](a.md#y) [e](#index)"),
      page("docs/a.md", "# A\n\n## X"),
      page("docs/z.md", "# Z"),
    ];
    expect(problemsOf(pages, (path) => path === "docs/b.png", "docs/README.md")).toEqual([
      "docs/README.md: link to c.md#x: there is no docs/c.md",
      "docs/README.md: link to a.md#y: docs/a.md has no part #y",
      "docs/README.md: no link to docs/z.md",
    ]);
  });
});

test("faults of pages are found", () => {
  const text = '<p id="a">x</b><br><ul><li>1 < 2</li><p id="a">';
  expect(faultsOf(text)).toEqual([
    "</b> ends nothing",
    "not escaped: 1 < 2",
    "two elements have the id a",
    "<ul> does not end",
    "<p> does not end",
  ]);
});
