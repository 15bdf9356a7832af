import type { Output } from "./context.ts";

/**
 * Prints `{ "schema": "weave/<name>/1", … }` on one line. The number grows when a field changes its
 * meaning or goes; new fields do not change it.
 */
export function writeJson(output: Output, name: string, fields: Record<string, unknown>): void {
  output.write(`${JSON.stringify({ schema: `weave/${name}/1`, ...fields })}\n`);
}
