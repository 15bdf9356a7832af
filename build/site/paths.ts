import { dirname, join, normalize, relative } from "node:path/posix";

/** Where files of the repository are in the site, and links between them. All paths are relative to the root of one or the other. */

/** The folder whose index is the front page of the site. */
export const docsFolder = "docs";

/** `docs/first-network.md` → `first-network.html`, `docs/README.md` → `index.html`, `CHANGELOG.md` → `changelog.html`. */
export function targetOf(source: string): string {
  const path = source.startsWith(`${docsFolder}/`)
    ? source.slice(docsFolder.length + 1)
    : source.toLowerCase();
  return path.replace(/(^|\/)README\.md$/, "$1index.html").replace(/\.md$/, ".html");
}

export interface Reference {
  /** A file of the repository. */
  readonly source: string;
  /** Without `#`; empty for the beginning. */
  readonly anchor: string;
}

/** What a link of a page leads to; `undefined` for one that leaves the repository. */
export function referenceOf(href: string, page: string): Reference | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) return undefined;
  const [path, anchor = ""] = href.split("#", 2) as [string, string?];
  const source = path === "" ? page : normalize(join(dirname(page), decodeURI(path)));
  return { source, anchor };
}

/** How a page of the site links to another file of it. */
export function hrefBetween(fromTarget: string, toTarget: string, anchor = ""): string {
  const path = relative(dirname(fromTarget), toTarget);
  return anchor === "" ? path : `${fromTarget === toTarget ? "" : path}#${anchor}`;
}
