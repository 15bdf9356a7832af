import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { playgroundHtml } from "./playground.ts";
import { chaptersOf } from "./site/contents.ts";
import { problemsOf, type SitePage } from "./site/links.ts";
import { type Rendered, renderMarkdown } from "./site/markdown.ts";
import { type OpenApi, openApiMarkdown } from "./site/openapi-page.ts";
import { docsFolder, hrefBetween, referenceOf, targetOf } from "./site/paths.ts";
import { searchEntries, searchScript } from "./site/search-index.ts";
import {
  type NavigationChapter,
  pageHtml,
  scriptFile,
  searchFile,
  styleFile,
} from "./site/template.ts";

/**
 * Builds `dist/site`: the documentation as a website of plain files, which any server serves and any
 * browser opens from a disk.
 *
 *   docs/*.md, CHANGELOG.md ─▶ pages ─┬─▶ *.html          links that lead nowhere end the build
 *   docs/README.md ─▶ navigation ─────┤
 *   docs/openapi.json ─▶ a page ──────┴─▶ search.js       loaded by who searches
 */
const root = join(import.meta.dir, "..");

const index = `${docsFolder}/README.md`;
const openApiSource = `${docsFolder}/openapi.json`;
/** Where the page of the control API is, among the pages of Markdown. */
const openApiPage = "openapi.md";
/** Where the simulator in a browser is. */
const playgroundTarget = "playground.html";

export interface SiteResult {
  readonly pages: number;
  readonly searchBytes: number;
}

/** @throws Error naming every link that leads nowhere, and every page that the index lacks */
export async function buildSite(folder = join(root, "dist/site")): Promise<SiteResult> {
  const pages = sources().map(readPage);
  const problems = linkProblems(pages);
  if (problems.length > 0) throw new Error(`the site has faults:\n${problems.join("\n")}`);
  const playground = await playgroundHtml();

  rmSync(folder, { recursive: true, force: true });
  const put = (target: string, text: string): void => {
    mkdirSync(dirname(join(folder, target)), { recursive: true });
    writeFileSync(join(folder, target), text);
  };
  const chapters = navigationOf();
  for (const { target, rendered } of pages) {
    const { title, html, headings } = rendered;
    put(target, pageHtml({ title, target, body: html, headings, chapters }));
  }
  for (const source of assets()) {
    cpSync(join(root, source), join(folder, targetOf(source)), { recursive: true });
  }
  for (const file of [styleFile, scriptFile]) {
    cpSync(join(import.meta.dir, "site", file), join(folder, file));
  }
  put(playgroundTarget, playground);
  const search = searchScript(
    pages.flatMap(({ target, rendered }) =>
      searchEntries(target, rendered.title, rendered.sections),
    ),
  );
  put(searchFile, search);
  return { pages: pages.length, searchBytes: search.length };
}

/** What keeps the site from being built: links that lead nowhere, pages that the index lacks. */
export function siteProblems(): string[] {
  return linkProblems(sources().map(readPage));
}

function linkProblems(pages: readonly SitePage[]): string[] {
  return problemsOf(pages, (path) => existsSync(join(root, path)), index);
}

/** Pages of Markdown, from the root; the one of the control API is made. */
function sources(): string[] {
  const written = ["", "licenses/"].flatMap((folder) =>
    readdirSync(join(root, docsFolder, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${docsFolder}/${folder}${name}`),
  );
  return [...written, "CHANGELOG.md", openApiPage].sort();
}

/** Files that pages lead to or show, from the root. */
function assets(): string[] {
  const beside = ["", "licenses/", "images/"].flatMap((folder) =>
    readdirSync(join(root, docsFolder, folder))
      .filter((name) => /\.(?:json|txt|png|svg)$/.test(name))
      .map((name) => `${docsFolder}/${folder}${name}`),
  );
  return ["LICENSE", ...beside].filter((path) => existsSync(join(root, path)));
}

/** Links to what the site does not have, such as sources, lead nowhere in it. */
function readPage(source: string): SitePage {
  const target = targetOf(source);
  const inSite = new Set([...sources(), ...assets()]);
  const lead = (href: string): string | undefined => {
    const reference = referenceOf(href, source);
    if (reference === undefined) return href;
    if (!inSite.has(reference.source)) return undefined;
    return hrefBetween(target, targetOf(reference.source), reference.anchor);
  };
  return { source, target, rendered: rendered(source, lead) };
}

function rendered(source: string, lead: (href: string) => string | undefined): Rendered {
  if (source !== openApiPage) return renderMarkdown(textOf(source), lead);
  return renderMarkdown(openApiMarkdown(JSON.parse(textOf(openApiSource)) as OpenApi), lead);
}

function navigationOf(): NavigationChapter[] {
  const chapters = chaptersOf(textOf(index)).map(({ title, entries }) => ({
    title,
    entries: entries.map(({ title: name, href }) => ({
      title: name,
      target: targetOf(referenceOf(href, index)!.source),
    })),
  }));
  const made = [
    { title: "Every request", target: targetOf(openApiPage) },
    { title: "Simulator in the browser", target: playgroundTarget },
    { title: "Changes", target: targetOf("CHANGELOG.md") },
  ];
  return [
    { title: "weave", entries: [{ title: "All pages", target: "index.html" }] },
    ...chapters,
    { title: "Besides", entries: made },
  ];
}

function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

if (import.meta.main) {
  const { pages, searchBytes } = await buildSite();
  console.log(`dist/site: ${pages} pages, search of ${(searchBytes / 1e3).toFixed(0)} kB`);
}
