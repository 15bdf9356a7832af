import { escapeHtml } from "./html.ts";
import type { Heading } from "./markdown.ts";
import { hrefBetween } from "./paths.ts";

export interface NavigationEntry {
  readonly title: string;
  /** In the site. */
  readonly target: string;
}

export interface NavigationChapter {
  readonly title: string;
  readonly entries: readonly NavigationEntry[];
}

export interface PageParts {
  readonly title: string;
  readonly target: string;
  /** The article as HTML, its heading included. */
  readonly body: string;
  readonly headings: readonly Heading[];
  readonly chapters: readonly NavigationChapter[];
}

/** Files that all pages use, in the root of the site. */
export const styleFile = "site.css";
export const scriptFile = "site.js";
export const searchFile = "search.js";

/** A whole page of the site. It asks for nothing but files of the site. */
export function pageHtml(parts: PageParts): string {
  const { title, target, body } = parts;
  const to = (path: string): string => escapeHtml(hrefBetween(target, path));
  const name = target === "index.html" ? "weave" : `${title} · weave`;
  return `<!doctype html>
<html lang="en" data-search="${to(searchFile)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${to(styleFile)}">
<script src="${to(scriptFile)}" defer></script>
</head>
<body>
<a class="skip" href="#main">To the page</a>
<header>
<a class="brand" href="${to("index.html")}">weave</a>
<a class="menu" href="#pages">Pages</a>
<form role="search" hidden>
<input type="search" name="q" aria-label="Search these pages" placeholder="Search" autocomplete="off" spellcheck="false">
<kbd aria-hidden="true">/</kbd>
<div class="results" role="region" aria-label="What was found" aria-live="polite" hidden></div>
</form>
</header>
<div class="columns">
${navigation(parts)}
<main id="main">
<article>
${body}</article>
${neighbours(parts)}
</main>
${tableOfContents(parts.headings)}
</div>
</body>
</html>
`;
}

function navigation({ chapters, target }: PageParts): string {
  const entry = (each: NavigationEntry): string => {
    const current = each.target === target ? ' aria-current="page"' : "";
    const href = escapeHtml(hrefBetween(target, each.target));
    return `<li><a href="${href}"${current}>${escapeHtml(each.title)}</a></li>`;
  };
  const lists = chapters.map(
    ({ title, entries }) =>
      `<p>${escapeHtml(title)}</p>\n<ul>\n${entries.map(entry).join("\n")}\n</ul>`,
  );
  return `<nav class="pages" id="pages" aria-label="Pages">\n${lists.join("\n")}\n</nav>`;
}

/** Parts of a page and theirs; nothing where there are fewer than three. */
function tableOfContents(headings: readonly Heading[]): string {
  const shown = headings.filter(({ level }) => level === 2 || level === 3);
  if (shown.length < 3) return "";
  const items = shown.map(
    ({ level, html, anchor }) =>
      `<li class="level${level}"><a href="#${anchor}">${withoutLinks(html)}</a></li>`,
  );
  return `<nav class="toc" aria-label="On this page">\n<p>On this page</p>\n<ul>\n${items.join("\n")}\n</ul>\n</nav>`;
}

function withoutLinks(html: string): string {
  return html.replace(/<\/?a\b[^>]*>/g, "");
}

/** The pages before and after this one, in the order of the index. */
function neighbours({ chapters, target }: PageParts): string {
  const all = chapters.flatMap(({ entries }) => entries);
  const at = all.findIndex((each) => each.target === target);
  const link = (entry: NavigationEntry | undefined, rel: string, arrow: string): string =>
    entry === undefined
      ? ""
      : `<a rel="${rel}" href="${escapeHtml(hrefBetween(target, entry.target))}">${arrow} ${escapeHtml(entry.title)}</a>`;
  const [previous, next] = at < 0 ? [] : [all[at - 1], all[at + 1]];
  const links = [link(previous, "prev", "←"), link(next, "next", "→")].filter(
    (each) => each !== "",
  );
  return links.length === 0
    ? ""
    : `<nav class="neighbours" aria-label="Before and after">\n${links.join("\n")}\n</nav>`;
}
