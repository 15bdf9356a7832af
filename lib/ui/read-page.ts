import type { Page } from "../api/page-app.ts";
import { embeddedPageName, type PageParts } from "./page-parts.ts";

/** The page that the executable carries; from source, one that is made of the sources as they are. */
export async function readPage(): Promise<Page> {
  return assemblePage((await embeddedParts()) ?? (await bundledParts()));
}

async function embeddedParts(): Promise<PageParts | undefined> {
  const isEmbedded = Bun.embeddedFiles.some(
    (file) => "name" in file && file.name === embeddedPageName,
  );
  if (!isEmbedded) return undefined;
  return (await Bun.file(`/$bunfs/root/${embeddedPageName}`).json()) as PageParts;
}

async function bundledParts(): Promise<PageParts> {
  const { bundlePage } = await import("./bundle-page.ts");
  return bundlePage();
}

/** One document that needs nothing else. */
export function assemblePage({ script, style }: PageParts): Page {
  const html = [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="dark light">',
    "<title>weave</title>",
    `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    '<div id="page"></div>',
    `<script type="module">${script}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
  return { html, scriptHash: hashOf(script), styleHash: hashOf(style) };
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="none" stroke="#12a594" stroke-width="2">' +
  '<path d="M3 13 8 3l5 10z"/></g><g fill="#12a594"><circle cx="3" cy="13" r="2.5"/>' +
  '<circle cx="13" cy="13" r="2.5"/><circle cx="8" cy="3" r="2.5"/></g></svg>';

/** As a content security policy names what may run. */
function hashOf(text: string): string {
  return `sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}`;
}
