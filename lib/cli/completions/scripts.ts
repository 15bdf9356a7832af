import { assert } from "../../base/errors.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** File names are those under which the shells look for them. */
export const completionFiles: ReadonlyMap<string, { file: string; make: () => string }> = new Map([
  ["bash", { file: "weave.bash", make: bashCompletion }],
  ["zsh", { file: "_weave", make: zshCompletion }],
  ["fish", { file: "weave.fish", make: fishCompletion }],
]);

export function completionScript(shell: string): string {
  const entry = completionFiles.get(shell);
  assert(entry !== undefined, `no completion script for ${shell}`);
  return entry.make();
}
