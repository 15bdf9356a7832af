import { describe, expect, test } from "bun:test";
import { commandTable } from "../../lib/cli/command-table.ts";
import { jsonDocuments } from "../../lib/cli/json-documents.ts";

/** What tests print with `--json` is checked against the schemas as it is printed: `weave()`. */
describe("documents of --json", () => {
  test("are described for every command that prints one, and for no other", () => {
    const printing = commandTable
      .filter(({ flags }) => flags.some(({ name }) => name === "json"))
      .map(({ name }) => name);
    const described = Object.values(jsonDocuments).map(({ line }) => line.split(" ")[1]!);
    // A bundle is JSON without being asked to.
    expect([...new Set(described)].sort()).toEqual([...printing, "report"].sort());
  });

  test("are there for every command that looks", () => {
    const silent = commandTable
      .filter(({ group, hidden }) => group === "Look" && hidden !== true)
      .filter(({ flags }) => !flags.some(({ name }) => name === "json"))
      .map(({ name }) => name);
    // One is a screen, whose parts others print; the other prints JSON without being asked to.
    expect(silent).toEqual(["top", "report"]);
  });
});
