import { systemdUnit } from "../daemon/systemd-unit.ts";
import { completionFiles } from "./completions/scripts.ts";
import { findingsMarkdown } from "./findings-page.ts";
import { manPage } from "./man-page.ts";
import { commandLineMarkdown } from "./markdown.ts";

/** Where install.sh puts the program unless told otherwise. */
const installedProgram = "/usr/local/bin/weave";

/** Committed files that are made from what the program knows, by path in the repository. */
export function generatedFiles(): Array<{ path: string; text: string }> {
  return [
    ...[...completionFiles.values()].map(({ file, make }) => ({
      path: `completions/${file}`,
      text: make(),
    })),
    { path: "docs/man/weave.1", text: manPage() },
    { path: "docs/doctor.md", text: findingsMarkdown() },
    { path: "docs/cli.md", text: commandLineMarkdown() },
    { path: "deploy/systemd/weave.service", text: systemdUnit([installedProgram]) },
  ];
}
