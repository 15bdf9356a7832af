import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePage } from "../lib/ui/bundle-page.ts";
import { embeddedPageName } from "../lib/ui/page-parts.ts";

/**
 * Bundles the page and returns the path of the result: a further entry point of the build, whose
 * loader must turn `.page` into files.
 */
export async function embedPage(root: string): Promise<string> {
  const cache = join(root, "build/cache");
  mkdirSync(cache, { recursive: true });
  const path = join(cache, embeddedPageName);
  writeFileSync(path, JSON.stringify(await bundlePage()));
  return path;
}
