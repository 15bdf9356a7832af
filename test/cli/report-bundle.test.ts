import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBundleFile } from "../../lib/cli/bundle-file.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { must } from "../hosts/shell.ts";
import { exampleParts } from "../incident/example.ts";
import { weave } from "./command-line.ts";

const document = JSON.stringify(
  makeBundle(exampleParts({ metrics: "token=abcdefgh" }), { secrets: [], redact: [] }),
);
const answer = () => document;

describe("weave report --bundle", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("writes one file for this user alone, and says what is in it and what is not", async () => {
    const file = join(folder, "incident.json.gz");
    const { code, stdout, stderr, requests } = await weave(["report", "--bundle", file], {
      answer,
    });
    expect([code, stdout]).toEqual([0, ""]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readBundleFile(file).report.Router.NickName).toBe("ada");
    expect(requests).toMatchObject([{ method: "GET", path: ["report", "bundle"], query: [] }]);
    expect(stderr).toContain(`written to ${file}, for this user alone: 1 kB, 3 kB as JSON\n`);
    expect(stderr).toContain("report of ada: 3 peers, 3 ranges of the ring, 1 name\n");
    expect(stderr).toContain("taken out: 1 passwords\n");
    expect(stderr).toContain("--redact addresses,names for a public place\n");
    expect(stderr).toEndWith(`replay it with: weave simulate --bundle ${file}\n`);
  });

  test("replaces a file, follows no link that waits for it, and leaves no draft", async () => {
    const file = join(folder, "again.json.gz");
    const victim = join(folder, "victim");
    writeFileSync(victim, "kept");
    symlinkSync(victim, `${file}.${process.pid}`);
    for (let round = 0; round < 2; round++) {
      expect((await weave(["report", "--bundle", file], { answer })).code).toBe(0);
    }
    expect(await Bun.file(victim).text()).toBe("kept");
    expect(readdirSync(folder).filter((name) => name.startsWith("again"))).toHaveLength(1);
  });

  test("leaves what is no file as it is: a pipe, a link to a device", async () => {
    const [pipe, link] = [join(folder, "pipe"), join(folder, "link")];
    await must(["mkfifo", pipe]);
    symlinkSync("/dev/null", link);
    for (const place of [pipe, link]) {
      const { code, stderr } = await weave(["report", "--bundle", place], { answer });
      expect(code).toBe(1);
      expect(stderr).toContain(`cannot write ${place}: there is something else than a file`);
      expect(stderr).toContain("- for standard output");
    }
    expect(lstatSync(pipe).isFIFO()).toBeTrue();
    expect(lstatSync(link).isSymbolicLink()).toBeTrue();
  });

  test("prints the document itself to standard output, with what was asked to be redacted", async () => {
    const words = ["report", "--bundle", "--redact", "addresses,names", "-"];
    const { code, stdout, requests } = await weave(words, { answer });
    expect([code, stdout]).toEqual([0, document]);
    expect(requests[0]?.query).toEqual([
      ["redact", "addresses"],
      ["redact", "names"],
    ]);
  });

  test.each([
    [["report", "--bundle", "--redact", "everything"], "--redact takes addresses and names"],
    [["report", "--bundle", "-f", "{{.}}"], "a format of its own"],
    [["report", "--redact", "names"], "--redact goes with --bundle"],
    [["report", "file"], "a file goes with --bundle"],
  ])("refuses %j", async (words, sentence) => {
    const { code, stderr, requests } = await weave(words, { answer });
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(requests).toEqual([]);
  });

  test("says where it cannot write, and that no router runs", async () => {
    const file = join(folder, "none", "x.json.gz");
    const failed = await weave(["report", "--bundle", file], { answer });
    expect([failed.code, failed.stderr.includes(`cannot write ${file}`)]).toEqual([1, true]);
    expect((await weave(["report", "--bundle"])).code).toBe(7);
  });
});
