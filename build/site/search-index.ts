import type { Section } from "./markdown.ts";

/** Characters of a section that can be found; tables of hundreds of rows are found by their beginning. */
const sectionMaxCharacters = 1500;

/** What the search of the site looks through: short names, for every reader who searches loads it. */
export interface SearchEntry {
  /** The page's path in the site, with an anchor for all but its beginning. */
  readonly u: string;
  /** Title of the page. */
  readonly t: string;
  /** Heading of the section. */
  readonly h: string;
  /** Text of the section. */
  readonly x: string;
}

export function searchEntries(
  target: string,
  title: string,
  sections: readonly Section[],
): SearchEntry[] {
  return sections.map(({ heading, anchor, text }, at) => ({
    u: at === 0 ? target : `${target}#${anchor}`,
    t: title,
    h: heading,
    x: text.slice(0, sectionMaxCharacters),
  }));
}

/** A script, so that it can be had where pages are opened as files. */
export function searchScript(entries: readonly SearchEntry[]): string {
  return `window.searchEntries = ${JSON.stringify(entries)};\n`;
}
