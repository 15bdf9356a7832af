import { beforeAll, describe, expect, test } from "bun:test";
import { isCore } from "./floors.ts";
import { importsOf, root, sourcesUnder, textOf, threadsOf } from "./source-files.ts";

const fileLinesMax = 400;
const functionLinesMax = 80;

const product = sourcesUnder("lib", "ffi", "cmd");
const everything = sourcesUnder("lib", "ffi", "cmd", "build", "test", "bench");

/** Lines of code, not of comment, that match, as `path:line: text`. */
function grepCode(paths: readonly string[], pattern: RegExp): string[] {
  return grep(paths, pattern).filter((line) => !/^\S+:\d+: (\*|\/\/|\/\*)/.test(line));
}

/** Lines of `paths` that match, as `path:line: text`. */
function grep(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
}

describe("a source file", () => {
  test(`has at most ${fileLinesMax} lines`, () => {
    expect(product.filter((path) => textOf(path).split("\n").length - 1 > fileLinesMax)).toEqual(
      [],
    );
  });

  test(`has no function of more than ${functionLinesMax} lines`, () => {
    // Counted by the linter, which knows where a function ends.
    const rule = "complexity/noExcessiveLinesPerFunction";
    const lint = Bun.spawnSync(
      [process.execPath, "x", "biome", "lint", `--only=${rule}`, "--reporter=summary", ...product],
      { cwd: root },
    );
    expect(lint.stdout.toString() + lint.stderr.toString()).not.toContain(rule);
    expect(lint.exitCode).toBe(0);
    expect(textOf("biome.json")).toContain(`"maxLines": ${functionLinesMax}`);
  });

  test("leaves nothing for later", () => {
    const marks = new RegExp(["TO", "DO|FIX", "ME|X", "XX"].join(""));
    expect(grep(everything, marks)).toEqual([]);
  });

  test("does not escape from its types or from the linter", () => {
    expect(grepCode(product, /\bas any\b|: any\b|<any>|as unknown as/)).toEqual([]);
    expect(grep(product, /@ts-(ignore|expect-error|nocheck)|biome-ignore/)).toEqual([]);
  });

  test("writes to the console nowhere: commands have streams, the router has a log", () => {
    expect(grep(product, /\bconsole\.\w+\(|\bdebugger\b/)).toEqual([]);
  });

  test("swallows no error without a word", () => {
    expect(grep(product, /catch\s*(\([^)]*\))?\s*\{\s*\}/)).toEqual([]);
  });

  test("hides its fields with # and not with a keyword", () => {
    expect(grep(product, /^\s*(private|protected)\s(?!constructor)/)).toEqual([]);
  });
});

describe("the core", () => {
  test("takes time, chance and timers as arguments", () => {
    const machine =
      /\b(Date\.now|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask)\b|\bnew Date\(\)|\b(Bun|process)\./;
    expect(grepCode(product.filter(isCore), machine)).toEqual([]);
  });
});

describe("a test", () => {
  const tests = sourcesUnder("test");

  test("is never skipped, postponed or alone", () => {
    expect(grep(tests, /\b(test|it|describe)\.(skip|todo|only|failing)\b/)).toEqual([]);
  });

  test("waits for events, not for time to pass", () => {
    // The allocator gives pages back by the clock and tells nobody. Other processes are asked, by one
    // function that says how often.
    const byTheClock = ["test/fuzz/campaign.ts", "test/hosts/shell.ts"];
    const others = tests.filter((path) => !byTheClock.includes(path));
    expect(grep(others, /\b(Bun\.sleep(Sync)?|setTimeout)\(/)).toEqual([]);
  });
});

describe("the tests", () => {
  const reached = new Set<string>();
  beforeAll(() => {
    // Tests with hosts run the program itself, and those with a browser the pages.
    const pages = ["lib/ui/page/main.tsx", "lib/ui/playground/main.tsx"];
    const queue = [...sourcesUnder("test"), "cmd/weave.ts", ...pages];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      for (const entry of importsOf(path)) {
        if (entry.path !== undefined && /\.tsx?$/.test(entry.path)) queue.push(entry.path);
      }
      queue.push(...threadsOf(path));
    }
  });

  test("reach every file of lib and ffi", () => {
    const library = sourcesUnder("lib", "ffi");
    expect(library.filter((path) => !reached.has(path))).toEqual([]);
  });
});
