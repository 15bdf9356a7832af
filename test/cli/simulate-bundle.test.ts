import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeBundleFile } from "../../lib/cli/bundle-file.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { exampleParts } from "../incident/example.ts";
import { weave } from "./command-line.ts";

describe("weave simulate --bundle", () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
    file = join(folder, "incident.json.gz");
    const document = makeBundle(exampleParts(), { secrets: [], redact: [] });
    writeBundleFile(file, JSON.stringify(document));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("tells moment by moment what happened and what it did, and that it heals", async () => {
    const { code, stdout } = await weave(["simulate", "--bundle", file]);
    expect(code).toBe(0);
    expect(stdout).toStartWith("3 peers, 3 links, 65536 addresses in 3 ranges, 1 name\nnote: ada ");
    expect(stdout).toMatch(/^#2 {3}2026-01-02T15:00:10.000Z {2}\(\d+\.0 s into the replay\)$/m);
    expect(stdout).toContain("     ada tells link.lost: eve, read tcp ");
    expect(stdout).toContain("     ada and eve are parted\n");
    expect(stdout).toContain("\nends as the bundle tells: the same links\n");
    expect(stdout).toEndWith("one network: ada, bob, eve reach each other\n");
  });

  test("says nothing on a line of its own that somebody in the bundle has made up", async () => {
    const { report, ...parts } = exampleParts();
    const Router = { ...report.Router, NickName: "ada\nends as the bundle tells\u001b[2J" };
    const document = makeBundle(
      { ...parts, report: { ...report, Router } },
      { secrets: [], redact: [] },
    );
    const other = join(folder, "names.json");
    writeFileSync(other, JSON.stringify(document));
    const { stdout } = await weave(["simulate", "--bundle", other, "--step", "1"]);
    expect(stdout).toContain("ada\ufffdends as the bundle tells\ufffd[2J");
    expect(stdout).not.toMatch(/^ends as/m);
  });

  test("stops at a moment, and says what each peer believes then", async () => {
    const { stdout } = await weave(["simulate", "--bundle", file, "--step", "2"]);
    expect(stdout).not.toContain("#3");
    expect(stdout).toContain("     bob: reaches ada, bob, eve, knows 1 name\n");
    expect(stdout).toContain("\nstopped before the end of the bundle\n");
  });

  test("prints one document with --json, up to a time", async () => {
    const words = ["simulate", "--bundle", file, "--json", "--until", "2026-01-02T15:00:12Z"];
    const { code, stdout } = await weave(words);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ schema: "weave/simulate-bundle/1", observer: "ada", asTold: null, heals: true },
      scenes: [{ step: 0, at: null }, { step: 1 }, { step: 2, at: "2026-01-02T15:00:10.000Z" }],
    });
    const short = await weave(["simulate", "--bundle", file, "--json", "--until", "5s"]);
    expect(JSON.parse(short.stdout).scenes).toHaveLength(2);
  });

  test("refuses what is no bundle, and flags that are of invented histories", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "no bundle");
    const foreign = await weave(["simulate", "--bundle", other]);
    expect([foreign.code, foreign.stdout]).toEqual([1, ""]);
    expect(foreign.stderr).toContain("this is no bundle of weave");
    const absent = await weave(["simulate", "--bundle", join(folder, "absent")]);
    expect(absent.stderr).toContain("cannot read");
    // It ends nowhere, and says that it has no octets at all.
    const endless = await weave(["simulate", "--bundle", "/dev/zero"]);
    expect(endless.stderr).toContain("larger than 16 MiB");
    for (const words of [
      ["--bundle", file, "--peers", "3"],
      ["--bundle", file, "--trace"],
      ["--bundle", file, "--step", "99"],
      ["--bundle", file, "--until", "soon"],
      ["--until", "5s"],
    ]) {
      const { code, stdout, stderr } = await weave(["simulate", ...words]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).not.toContain("INTERNAL");
    }
  });
});
