/** The order of the pages, as their index has it: chapters, and under each a list of links. */
export interface Chapter {
  readonly title: string;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly title: string;
  /** As written in the index. */
  readonly href: string;
}

/** Chapters of `docs/README.md`: headings whose lists begin with links. */
export function chaptersOf(index: string): Chapter[] {
  return index
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      title: part.split("\n", 1)[0]!,
      entries: [...part.matchAll(/^- \[([^\]]+)\]\(([^)]+)\)/gm)].map(([, title, href]) => ({
        title: title!.replaceAll("`", ""),
        href: href!,
      })),
    }))
    .filter(({ entries }) => entries.length > 0);
}
