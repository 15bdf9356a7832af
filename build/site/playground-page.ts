import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The simulator in a page of its own, as `build/playground.ts` makes it: `undefined` where there is
 * none.
 *
 * @throws Error when that makes no page
 */
export async function playgroundHtml(root: string): Promise<string | undefined> {
  const path = join(root, "build/playground.ts");
  if (!existsSync(path)) return undefined;
  const module = (await import(path)) as Readonly<Record<string, unknown>>;
  const make = Object.values(module).find((each) => typeof each === "function");
  const html: unknown = await make?.(root);
  if (typeof html === "string" && html.trimStart().startsWith("<!")) return html;
  throw new Error(`${path} makes no page of HTML`);
}
