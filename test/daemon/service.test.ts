import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathsFrom } from "../../lib/daemon/paths.ts";
import { setUpService } from "../../lib/daemon/service-setup.ts";
import {
  engineVariablesPath,
  systemdUnit,
  unitPath,
  wordsPath,
} from "../../lib/daemon/systemd-unit.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weave-service-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const paths = () => pathsFrom({ WEAVE_RUN_DIR: join(root, "run") });
const setUp = (...words: string[]): string[] =>
  setUpService({ words, engineVariables: {}, root, now: false }, paths());
const setUpWith = (engineVariables: Record<string, string>): string[] =>
  setUpService({ words: [], engineVariables, root, now: false }, paths());
const text = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the service of systemd", () => {
  test("is written with its options and peers, which stay when it is set up again", () => {
    expect(setUp("--no-dns", "192.168.48.11").at(-1)).toContain("systemctl enable --now weave");
    expect(text(unitPath)).toContain("launch --foreground $WEAVE_ARGS\n");
    expect(text(wordsPath)).toEndWith('\nWEAVE_ARGS="--no-dns 192.168.48.11"\n');
    writeFileSync(join(root, wordsPath), "WEAVE_PASSWORD=mine\n");
    expect(setUp()).toContain(`${join(root, wordsPath)} stays as it is`);
    expect(text(wordsPath)).toBe("WEAVE_PASSWORD=mine\n");
    setUp("192.168.48.12");
    expect(text(wordsPath)).toContain('WEAVE_ARGS="192.168.48.12"');
  });

  test("is not written over a unit of somebody else's", () => {
    setUp();
    writeFileSync(join(root, unitPath), "[Service]\nExecStart=/bin/true\n");
    expect(() => setUp()).toThrow("was not written by 'weave setup-systemd'");
    expect(text(unitPath)).toStartWith("[Service]");
  });

  test("takes no word that systemd would divide or replace", () => {
    for (const word of ["--nickname=two words", "$HOME", 'a"b', "a\\b", "a\nb"]) {
      expect(() => setUp(word)).toThrow("cannot stand in a unit of systemd");
    }
    expect(setUp("fe80::1%eth0")[1]).toContain("fe80::1%eth0");
  });

  test("is told how to find the Docker engine, which stays when it is set up again without", () => {
    setUp("192.168.48.11");
    expect(existsSync(join(root, engineVariablesPath))).toBe(false);
    const done = setUpWith({ DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/etc/weave/docker" });
    const written = `${join(root, engineVariablesPath)} is written: DOCKER_TLS_VERIFY, DOCKER_CERT_PATH`;
    expect(done).toContain(written);
    const lines = 'DOCKER_TLS_VERIFY="1"\nDOCKER_CERT_PATH="/etc/weave/docker"\n';
    expect(text(engineVariablesPath)).toEndWith(`would with these.\n${lines}`);
    expect(text(unitPath)).toContain(`EnvironmentFile=-${engineVariablesPath}\n`);
    expect(text(wordsPath)).toContain("192.168.48.11");
    expect(setUp()).toContain(`${join(root, engineVariablesPath)} stays as it is`);
    expect(text(engineVariablesPath)).toEndWith(lines);
    expect(() => setUpWith({ DOCKER_CERT_PATH: '/a"b' })).toThrow("cannot stand in a unit");
  });

  test("is not started where no systemd runs", () => {
    const request = { words: [], engineVariables: {}, root, now: true };
    expect(() => setUpService(request, paths())).toThrow("no systemd running");
  });

  test("is understood by systemd to the last word", () => {
    const program = Bun.which("systemd-analyze");
    if (program === null) {
      console.warn("left out: there is no systemd-analyze here");
      return;
    }
    const unit = join(root, "weave.service");
    writeFileSync(unit, systemdUnit(["/bin/true"]));
    const check = Bun.spawnSync([program, "verify", "--man=no", "--recursive-errors=no", unit]);
    expect(check.stderr.toString()).toBe("");
    expect(check.exitCode).toBe(0);
  });
});
