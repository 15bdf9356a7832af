import { join } from "node:path";
import { WeaveError } from "../base/errors.ts";
import type { PageParts } from "./page-parts.ts";

/**
 * Makes one script and one style sheet of the page's sources.
 *
 * @throws WeaveError `PAGE_SOURCES`
 */
export async function bundlePage(): Promise<PageParts> {
  const folder = join(import.meta.dir, "page");
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
  const style = await Bun.file(join(folder, "style.css")).text();
  // Else a string in the script would end it.
  return { script: (await script.text()).replaceAll("</script", "<\\/script"), style };
}
