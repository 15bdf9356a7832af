import { join } from "node:path";
import { WeaveError } from "../base/errors.ts";
import type { PageParts } from "./page-parts.ts";

/**
 * Makes one script and one style sheet of a page's sources; what the pages have in common of style is
 * that of `page`.
 *
 * @throws WeaveError `PAGE_SOURCES`
 */
export async function bundlePage(name: "page" | "playground" = "page"): Promise<PageParts> {
  const folder = join(import.meta.dir, name);
  const result = await Bun.build({
    entrypoints: [join(folder, "main.tsx")],
    target: "browser",
    format: "esm",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    throw: false,
  });
  const [script] = result.outputs;
  if (!result.success || script === undefined) {
    throw new WeaveError("PAGE_SOURCES", `the page cannot be made: ${result.logs.join("; ")}`);
  }
  const folders = new Set([join(import.meta.dir, "page"), folder]);
  const styles = [...folders].map((each) => Bun.file(join(each, "style.css")).text());
  const style = (await Promise.all(styles)).join("\n");
  // Else a string in the script would end it.
  return { script: (await script.text()).replaceAll("</script", "<\\/script"), style };
}
