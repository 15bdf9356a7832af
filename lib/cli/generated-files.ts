import { withMetricTables } from "../api/metrics/metrics-page.ts";
import { openApiText } from "../api/openapi.ts";
import { withRouteTables } from "../api/route-page.ts";
import { systemdUnit } from "../daemon/systemd-unit.ts";
import { completionFiles } from "./completions/scripts.ts";
import { withEventTable } from "./events-page.ts";
import { findingsMarkdown } from "./findings-page.ts";
import { jsonMarkdown, jsonSchemaText } from "./json-page.ts";
import { manPage } from "./man-page.ts";
import { commandLineMarkdown } from "./markdown.ts";

/** Where install.sh puts the program unless told otherwise. */
const installedProgram = "/usr/local/bin/weave";

/**
 * Committed files that are made from what the program knows, by path in the repository. `present`
 * gives the text that one has by now, where only parts of it are made.
 */
export function generatedFiles(
  present: (path: string) => string,
): Array<{ path: string; text: string }> {
  return [
    ...[...completionFiles.values()].map(({ file, make }) => ({
      path: `completions/${file}`,
      text: make(),
    })),
    { path: "docs/man/weave.1", text: manPage() },
    { path: "docs/doctor.md", text: findingsMarkdown() },
    { path: "docs/events.md", text: withEventTable(present("docs/events.md")) },
    { path: "docs/cli.md", text: commandLineMarkdown() },
    { path: "docs/json.md", text: jsonMarkdown() },
    { path: "docs/json.schema.json", text: jsonSchemaText() },
    { path: "docs/api.md", text: withRouteTables(present("docs/api.md")) },
    { path: "docs/metrics.md", text: withMetricTables(present("docs/metrics.md")) },
    { path: "docs/openapi.json", text: openApiText() },
    { path: "deploy/systemd/weave.service", text: systemdUnit([installedProgram]) },
  ];
}
