/** Under this name the executable carries the page, as JSON; see build/embed-page.ts. */
export const embeddedPageName = "weave.page";

/** What is made of the page's sources. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}
