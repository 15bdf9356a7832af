import { afterAll, beforeAll, describe, test } from "bun:test";
import { type ShellBlock, shellBlocks } from "../docs/page-blocks.ts";
import { typedPages } from "../docs/runnable-pages.ts";
import { isShown } from "../docs/shown-output.ts";
import { textOf } from "../house/source-files.ts";
import { mayBeTypedAgain, PageLab } from "./page-lab.ts";
import { eventually } from "./shell.ts";

/** As a reader of the documentation would: each page from its first command to its last. */
describe("the commands that a page shows", () => {
  let lab: PageLab;
  beforeAll(async () => {
    lab = await PageLab.start("pag");
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  /** Types a block, again where that does no harm: what it shows may take a moment to be there. */
  async function follow(page: string, block: ShellBlock): Promise<void> {
    const { line, output = "…", script } = block;
    await eventually(
      `${page}:${line} prints\n${output}`,
      () => lab.type(block),
      ({ succeeded, printed }) => succeeded && isShown(output, printed),
      mayBeTypedAgain(script) ? 60_000 : 0,
    );
  }

  for (const page of typedPages) {
    test(`do what it says: ${page}`, async () => {
      const typed = shellBlocks(textOf(page)).filter(
        ({ hosts, needs }) => hosts.length > 0 && needs.length === 0,
      );
      const names = new Set(typed.flatMap(({ hosts }) => hosts));
      await lab.turnTo(page.replace(/\W/g, "-"), names);
      for (const block of typed) await follow(page, block);
    }, 300_000);
  }
});
