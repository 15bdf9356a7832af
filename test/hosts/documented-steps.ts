import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../house/source-files.ts";

/** Commands of a page under `docs/`, and the hosts on which a reader is to type them. */
export interface DocumentedStep {
  readonly section: string;
  readonly hosts: readonly string[];
  readonly script: string;
}

/**
 * The steps of a page in their order: its blocks that begin with "```sh" and names of hosts.
 *
 *   ## Section
 *   ```sh host1 host2
 *   weave expose
 *   ```
 */
export function documentedSteps(page: string): DocumentedStep[] {
  const text = readFileSync(join(root, "docs", page), "utf8");
  const steps: DocumentedStep[] = [];
  for (const section of text.split(/^## /m)) {
    for (const [, hosts, script] of section.matchAll(/^```sh (host[^\n]*)\n(.*?)^```$/gms)) {
      steps.push({
        section: section.split("\n", 1)[0]!,
        hosts: hosts!.split(" "),
        script: script!,
      });
    }
  }
  return steps;
}
