import { expect, test } from "bun:test";
import { shownCommands } from "../../lib/cli/command-table.ts";

test("the manual page renders without a warning, and explains every command", () => {
  if (Bun.which("groff") === null) {
    throw new Error("this test needs groff: './install.sh --dev' installs it");
  }
  const rendered = Bun.spawnSync(["groff", "-man", "-Tutf8", "-ww", "-P-cbou", "docs/man/weave.1"]);
  expect(rendered.stderr.toString()).toBe("");
  expect(rendered.exitCode).toBe(0);
  const page = rendered.stdout.toString();
  for (const { name } of shownCommands)
    expect(page).toMatch(new RegExp(`^ {3}weave ${name}\\b`, "m"));
  expect(page).not.toContain("`");
});
