import { type ShellBlock, shellBlocks } from "../docs/page-blocks.ts";
import { textOf } from "../house/source-files.ts";

/** Commands of a page under `docs/` that a reader is to type, and the hosts where; in their order. */
export function documentedSteps(page: string): ShellBlock[] {
  return shellBlocks(textOf(`docs/${page}`)).filter(({ hosts }) => hosts.length > 0);
}
