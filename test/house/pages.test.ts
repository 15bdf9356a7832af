import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { siteProblems } from "../../build/site.ts";
import { unknownCommands } from "../docs/named-commands.ts";
import { type ShellBlock, shellBlocks, unmarkedCommands } from "../docs/page-blocks.ts";
import { dockerPages, followedPages, typedPages } from "../docs/runnable-pages.ts";
import { filesUnder, root, textOf } from "./source-files.ts";

/**
 * Pages tell the truth: their commands are typed, or they say why not (`test/docs/page-blocks.ts` has how
 * that is written), and their links lead somewhere.
 */

const pages = filesUnder("README.md", "docs").filter((path) => path.endsWith(".md"));

function blocksThat(wanted: (block: ShellBlock, page: string) => boolean): string[] {
  return pages.flatMap((page) =>
    shellBlocks(textOf(page))
      .filter((block) => wanted(block, page))
      .map(({ line }) => `${page}:${line}`),
  );
}

describe("a shell block of the documentation", () => {
  test("is run by a test, or the page says why it is not", () => {
    const unsaid = blocksThat(({ hosts, reason }) => hosts.length === 0 && reason === undefined);
    expect(unsaid).toEqual([]);
    expect(blocksThat(({ hosts, reason }) => hosts.length > 0 && reason !== undefined)).toEqual([]);
  });

  test("that is run is of a page that a test types", () => {
    const onHosts = (page: string) => typedPages.includes(page) || page in followedPages;
    const untyped = blocksThat(({ hosts, needs }, page) =>
      needs.includes("docker") ? !(page in dockerPages) : hosts.length > 0 && !onHosts(page),
    );
    expect(untyped).toEqual([]);
  });

  test("has the command that tests a clean checkout, once, where the check for that looks for it", () => {
    const look = /sed -n '(s.*)' README\.md/.exec(textOf(".ci/run"))?.[1] ?? "";
    const { stdout } = Bun.spawnSync(["sed", "-n", look, join(root, "README.md")]);
    expect(stdout.toString()).toBe("./install.sh --dev && bun run test\n");
  });

  test("needs nothing but Docker", () => {
    expect(blocksThat(({ needs }) => needs.some((need) => need !== "docker"))).toEqual([]);
  });

  test("is a block of a shell: no other has commands", () => {
    const unmarked = pages.flatMap((page) =>
      unmarkedCommands(textOf(page)).map((line) => `${page}:${line}`),
    );
    expect(unmarked).toEqual([]);
  });
});

test("commands and options that pages name are those of the program", () => {
  const named = [...pages, "CHANGELOG.md"].flatMap((page) =>
    unknownCommands(textOf(page)).map((fault) => `${page}: ${fault}`),
  );
  expect(named).toEqual([]);
});

test("links of pages lead somewhere, and docs/README.md links all pages", () => {
  expect(siteProblems()).toEqual([]);
});

describe("a test that types a page", () => {
  for (const [page, path] of Object.entries({ ...followedPages, ...dockerPages })) {
    test(`is there, and reads it: ${path}`, () => {
      expect(existsSync(join(root, path))).toBe(true);
      expect(textOf(path)).toContain(`documentedSteps("${page.replace("docs/", "")}")`);
    });
  }
});
