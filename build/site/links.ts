import type { Rendered } from "./markdown.ts";
import { referenceOf } from "./paths.ts";

export interface SitePage {
  /** From the root of the repository. */
  readonly source: string;
  /** From the root of the site. */
  readonly target: string;
  readonly rendered: Rendered;
}

/**
 * What is wrong with the links of the pages, one sentence each: a file that there is not, a part
 * that a page does not have, a page that nobody finds because the index does not link it.
 *
 * @param isThere whether the repository has a file or folder, by its path from the root
 * @param index the page that has to link all others of its folder
 */
export function problemsOf(
  pages: readonly SitePage[],
  isThere: (path: string) => boolean,
  index: string,
): string[] {
  const anchors = new Map(
    pages.map(({ source, rendered }) => [
      source,
      new Set(rendered.headings.map(({ anchor }) => anchor)),
    ]),
  );
  const problemOf = (href: string, page: string): string | undefined => {
    const reference = referenceOf(href, page);
    if (reference === undefined) return undefined;
    const { source, anchor } = reference;
    const parts = anchors.get(source);
    if (parts === undefined) return isThere(source) ? undefined : `there is no ${source}`;
    return anchor === "" || parts.has(anchor) ? undefined : `${source} has no part #${anchor}`;
  };
  const broken = pages.flatMap(({ source, rendered }) =>
    rendered.links.flatMap((href) => {
      const problem = problemOf(href, source);
      return problem === undefined ? [] : [`${source}: link to ${href}: ${problem}`];
    }),
  );
  return [...broken, ...unlisted(pages, index)];
}

function unlisted(pages: readonly SitePage[], index: string): string[] {
  const list = pages.find(({ source }) => source === index);
  const linked = new Set(list?.rendered.links.map((href) => referenceOf(href, index)?.source));
  const folder = index.slice(0, index.lastIndexOf("/") + 1);
  return pages
    .map(({ source }) => source)
    .filter((source) => source.startsWith(folder) && source !== index && !linked.has(source))
    .map((source) => `${index}: no link to ${source}`);
}
