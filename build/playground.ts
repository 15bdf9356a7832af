import { bundlePage } from "../lib/ui/bundle-page.ts";
import { assemblePage } from "../lib/ui/read-page.ts";

/** The simulator in a page, as one document that needs nothing else. @throws WeaveError `PAGE_SOURCES` */
export async function playgroundHtml(): Promise<string> {
  return assemblePage(await bundlePage("playground")).html;
}

if (import.meta.main) {
  const path = process.argv[2] ?? "dist/playground.html";
  const html = await playgroundHtml();
  await Bun.write(path, html);
  console.log(`${path}: ${(html.length / 1e3).toFixed(0)} kB`);
}
