import { completionFiles } from "./completions/scripts.ts";
import { manPage } from "./man-page.ts";
import { commandLineMarkdown } from "./markdown.ts";

/** Committed files that come from the command table, by path in the repository. */
export function generatedFiles(): Array<{ path: string; text: string }> {
  return [
    ...[...completionFiles.values()].map(({ file, make }) => ({
      path: `completions/${file}`,
      text: make(),
    })),
    { path: "docs/man/weave.1", text: manPage() },
    { path: "docs/cli.md", text: commandLineMarkdown() },
  ];
}
