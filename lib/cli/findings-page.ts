import { findingChapters } from "../diagnosis/finding-kinds.ts";
import { exitCode } from "./exit-code.ts";

/** `docs/doctor.md`: every code that `weave doctor` and `weave why` print. */
export function findingsMarkdown(): string {
  const lines = [
    "# What `weave doctor` and `weave why` find",
    "",
    "This page is made from the program's own table of findings (`bun run generate`). A code keeps its",
    "meaning between releases; the sentences may change. What each command looks at stands in",
    "[cli.md](cli.md).",
    "",
    `An _error_ means that something does not work (exit code ${exitCode.foundError}), a _warning_ that`,
    `something works, but not as it should (exit code ${exitCode.foundWarning}); a _note_ does not change`,
    `exit code ${exitCode.success}. Commands printed below a finding can be run as they stand, as root, on`,
    "the host that printed them; where a finding has none, the place to mend is elsewhere.",
    "",
    "With `--json`, and as answers of `GET /doctor` and `GET /why` ([api.md](api.md)), findings have the",
    "members `code`, `severity`, `about`, `sentence`, `remedy` and `commands`.",
  ];
  for (const { title, kinds } of findingChapters) {
    lines.push("", `## ${title}`, "", "| code | severity | meaning | what to do |");
    lines.push("| --- | --- | --- | --- |");
    for (const [code, { severity, meaning, remedy }] of Object.entries(kinds)) {
      lines.push(`| \`${code}\` | ${severity} | ${meaning} | ${capital(remedy)}. |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
