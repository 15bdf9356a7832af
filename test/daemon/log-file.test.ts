import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatLine, openLog } from "../../lib/daemon/log-file.ts";

const folder = mkdtempSync(join(tmpdir(), "weave-log-"));

afterAll(() => rmSync(folder, { recursive: true }));

describe("the log", () => {
  test("has the form that collectors of the original's log parse", () => {
    expect(formatLine("warning", Date.UTC(2026, 0, 2, 3, 4, 5, 67), "lost {peer}")).toBe(
      "WARN: 2026/01/02 03:04:05.067000 lost {peer}\n",
    );
  });

  test("has no record that the name of a peer has made up", () => {
    const name = "x\r\nERRO: 2026/01/02 03:04:05.000000 all is lost\u001b[2J";
    expect(formatLine("info", 0, `giving to ${name}`)).toBe(
      "INFO: 1970/01/01 00:00:00.000000 giving to x\ufffd\n" +
        "    ERRO: 2026/01/02 03:04:05.000000 all is lost\ufffd[2J\n",
    );
  });

  test("keeps lines of the chosen level and above, braces and all", () => {
    const path = join(folder, "weave.log");
    const log = openLog("info", path);
    log.debug("not this");
    log.info("->[10.0.0.2:6783|{odd}] connection added");
    log.error("that");
    const lines = readFileSync(path, "utf8").trim().split("\n");
    expect(lines.map((line) => line.replace(/\d{4}\S+ \S+/, "<time>"))).toEqual([
      "INFO: <time> ->[10.0.0.2:6783|{odd}] connection added",
      "ERRO: <time> that",
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("starts a new file before it grows without bound", () => {
    const path = join(folder, "long.log");
    const log = openLog("info", path);
    const line = "x".repeat(1 << 20);
    for (let i = 0; i < 20; i++) log.info(line);
    expect(statSync(`${path}.1`).size).toBeLessThan(19 << 20);
    expect(statSync(path).size).toBeLessThan(5 << 20);
  });
});
