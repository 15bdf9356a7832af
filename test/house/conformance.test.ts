import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, textOf } from "./source-files.ts";

/** The table of cases tells the truth about the tests: none that it names is gone. */
const page = "docs/conformance.md";

/** How many cases each chapter has, by their letter, and which numbers are no cases. */
const chapters: readonly { title: string; letter: string; cases: number; gaps?: number[] }[] = [
  { title: "Mesh", letter: "M", cases: 25 },
  { title: "Address allocation", letter: "A", cases: 30 },
  { title: "Names", letter: "N", cases: 29 },
  { title: "Sleeve", letter: "S", cases: 20 },
  { title: "Fast datapath", letter: "F", cases: 26, gaps: [7, 8, 9, 18, 19] },
  { title: "Fast datapath without openvswitch", letter: "X", cases: 14 },
  { title: "Command line", letter: "C", cases: 28 },
  { title: "Control API", letter: "H", cases: 22 },
  { title: "The host", letter: "N", cases: 26 },
  { title: "Docker: the engine", letter: "E", cases: 15 },
  { title: "Docker: containers", letter: "T", cases: 16 },
  { title: "Docker: networks", letter: "G", cases: 14 },
  { title: "Container runtimes", letter: "R", cases: 12 },
  { title: "Kubernetes: nodes and peers", letter: "K", cases: 19 },
  { title: "Policies: what they mean", letter: "V", cases: 22 },
  { title: "Policies: the packet filter", letter: "P", cases: 20 },
  { title: "Policies: the controller", letter: "Q", cases: 10 },
  { title: "Policies: hosts without Kubernetes", letter: "U", cases: 10 },
  { title: "Better: mesh", letter: "W", cases: 20 },
  { title: "Better: address allocation", letter: "W", cases: 20 },
  { title: "Better: names", letter: "D", cases: 17 },
];

interface Row {
  readonly id: string;
  readonly proof: string;
}

function rowsOf(title: string): Row[] {
  const chapter = textOf(page).split(`\n## ${title}\n`)[1]!.split("\n## ")[0]!;
  return [...chapter.matchAll(/^\| ([A-Z]\d+) \| .+? \| (.*) \|$/gm)].map(([, id, proof]) => ({
    id: id!,
    proof: proof!,
  }));
}

/** Files and names that a proof refers to; a name may have backticks of a template within. */
function references(proof: string): { path: string; name: string | undefined }[] {
  return [...proof.matchAll(/`((?:test|bench)\/[^` ]+\.ts)(?: › (.+?))?`(?=<br>|\)|;|$)/g)].map(
    ([, path, name]) => ({ path: path!, name }),
  );
}

function isThere({ path, name }: { path: string; name: string | undefined }): boolean {
  if (!existsSync(join(root, path))) return false;
  if (name === undefined) return true;
  const text = textOf(path);
  return ['"', "`", "'"].some((quote) => text.includes(quote + name + quote));
}

describe(`the tests that ${page} names`, () => {
  for (const { title, letter, cases, gaps = [] } of chapters) {
    test(`are there: ${title}`, () => {
      const gone = rowsOf(title).flatMap(({ id, proof }) =>
        references(proof)
          .filter((reference) => !isThere(reference))
          .map(({ path, name }) => `${id}: ${path} › ${name}`),
      );
      expect(gone).toEqual([]);
    });

    test(`are named for every case, or the reason is given: ${title}`, () => {
      const rows = rowsOf(title);
      const numbers = Array.from({ length: cases }, (_, at) => at + 1);
      const wanted = numbers.filter((each) => !gaps.includes(each)).map((each) => letter + each);
      expect(rows.map(({ id }) => id)).toEqual(wanted);
      const unproven = rows.filter(
        ({ proof }) => references(proof).length === 0 && !proof.startsWith("not "),
      );
      expect(unproven).toEqual([]);
    });
  }
});
