import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Paths, pathsFrom } from "../../lib/daemon/paths.ts";
import { writePidFile } from "../../lib/daemon/pid-file.ts";
import { makeFolders } from "../../lib/daemon/process.ts";
import { releaseVersion } from "../../lib/daemon/release.ts";
import { upgradeRouter } from "../../lib/daemon/upgrade.ts";
import { ReleaseServer } from "../install/release-server.ts";

const newProgram = `#!/bin/sh
[ "$1 $2" = "version --json" ] && echo '{"client": "9.9.9"}'
`;

describe("an upgrade", () => {
  let folder = "";
  let paths: Paths;
  let former: Bun.Subprocess;
  let file = "";
  /** What the router's control API answers, and what happens then. */
  let answer: () => Response;
  let server: Bun.Server<undefined>;
  /** Where releases are. */
  let location = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "weave-upgrade-"));
    paths = pathsFrom({
      WEAVE_RUN_DIR: join(folder, "run"),
      WEAVE_STATE_DIR: join(folder, "state"),
    });
    makeFolders(paths);
    // The router: a program of which only the place matters.
    copyFileSync("/bin/sleep", join(folder, "weave"));
    former = Bun.spawn([join(folder, "weave"), "60"]);
    writePidFile(paths.pidFile, former.pid);
    file = join(folder, "new");
    writeFileSync(file, newProgram);
    chmodSync(file, 0o755);
    server = Bun.serve<undefined>({ unix: paths.socket, fetch: () => answer() });
  });
  afterEach(async () => {
    await server.stop(true);
    former.kill("SIGKILL");
    await former.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  /** The successor runs at once: this process. */
  const succeeds = (): Response => {
    writePidFile(paths.pidFile, process.pid);
    return Response.json({ pid: process.pid });
  };
  const programs = (): string[] => readdirSync(folder).filter((name) => name.startsWith("weave"));
  const isFormer = (): boolean =>
    readFileSync(join(folder, "weave")).equals(readFileSync("/bin/sleep"));

  test("puts the file in the place of the program that runs", async () => {
    answer = succeeds;
    expect(await upgradeRouter(file, paths, location)).toBe(process.pid);
    expect(readFileSync(join(folder, "weave"), "utf8")).toBe(newProgram);
    expect(programs()).toEqual(["weave"]);
  });

  test("without a file changes no program", async () => {
    answer = succeeds;
    expect(await upgradeRouter(undefined, paths, location)).toBe(process.pid);
    expect(isFormer()).toBe(true);
  });

  test("puts the former program back when the router says no, or its successor dies", async () => {
    answer = () => new Response("it has died\n", { status: 500 });
    await expect(upgradeRouter(file, paths, location)).rejects.toThrow("it has died");
    expect(isFormer()).toBe(true);
    const dead = Bun.spawnSync(["true"]).pid;
    answer = () => Response.json({ pid: dead });
    await expect(upgradeRouter(file, paths, location)).rejects.toThrow("did not take over");
    expect(isFormer()).toBe(true);
    expect(programs()).toEqual(["weave"]);
    answer = () => new Response("404 page not found\n", { status: 404 });
    await expect(upgradeRouter(undefined, paths, location)).rejects.toThrow(
      "too old to be succeeded",
    );
  });

  test("takes no file that is not a weave for this machine", async () => {
    answer = succeeds;
    writeFileSync(join(folder, "other"), "#!/bin/sh\necho hello\n");
    chmodSync(join(folder, "other"), 0o755);
    writeFileSync(join(folder, "plain"), newProgram);
    for (const name of ["other", "plain", "absent", "run"]) {
      await expect(upgradeRouter(join(folder, name), paths, location)).rejects.toThrow(
        "is no weave for this machine",
      );
    }
    expect(isFormer()).toBe(true);
  });

  describe("by version", () => {
    let releases: ReleaseServer;

    beforeEach(async () => {
      releases = new ReleaseServer();
      location = `${releases.url}/`;
      answer = succeeds;
      const says = `[ "$1 $2" = "version --json" ] && echo '{"client": "9.9.9"}'`;
      await releases.publish("9.9.9", ["9.9.9", "latest"], says);
    });
    afterEach(() => releases[Symbol.asyncDispose]());

    const isUntouched = (): void => {
      expect(isFormer()).toBe(true);
      expect(programs()).toEqual(["weave"]);
      expect(readdirSync(paths.stateDir)).toEqual([]);
    };

    test("downloads the release and puts its program in place", async () => {
      for (const version of ["9.9.9", "latest"]) {
        writePidFile(paths.pidFile, former.pid);
        expect(await upgradeRouter(version, paths, location)).toBe(process.pid);
        expect(readFileSync(join(folder, "weave"), "utf8")).toContain("9.9.9");
        expect(programs()).toEqual(["weave"]);
        expect(readdirSync(paths.stateDir)).toEqual([]);
      }
      expect(releases.requested[0]).toBe("/releases/9.9.9/SHA256SUMS");
    });

    test("uses nothing whose checksum is wrong, that is missing, or for another system", async () => {
      const archive = releases.archives("9.9.9")[0]!;
      releases.tampered.set(`/releases/9.9.9/${archive}`, "something else");
      await expect(upgradeRouter("9.9.9", paths, location)).rejects.toThrow(
        `the checksum of ${archive} is wrong`,
      );
      await expect(upgradeRouter("8.0.0", paths, location)).rejects.toThrow(
        "8.0.0/SHA256SUMS: the answer is 404",
      );
      const others = `${"0".repeat(64)}  weave-9.9.9-plan9.tar.gz\n`;
      releases.tampered.set("/releases/9.9.9/SHA256SUMS", others);
      await expect(upgradeRouter("9.9.9", paths, location)).rejects.toThrow("there is no release");
      isUntouched();
    });

    test("keeps the former program when the router says no", async () => {
      answer = () => new Response("it has died\n", { status: 500 });
      await expect(upgradeRouter("9.9.9", paths, location)).rejects.toThrow("it has died");
      isUntouched();
    });

    test("needs a place of releases, and says how to name it", async () => {
      const failing = upgradeRouter("9.9.9", paths, "");
      await expect(failing).rejects.toThrow("it is not known where releases are published");
      await expect(failing).rejects.toHaveProperty("code", "RELEASE_LOCATION");
      isUntouched();
    });
  });

  test("needs a router that runs", async () => {
    rmSync(paths.pidFile);
    await expect(upgradeRouter(file, paths, location)).rejects.toThrow("weave is not running");
  });
});

test("a word is a version only if it cannot be meant as a file", () => {
  for (const version of ["3.1.0", "latest", "3.0.0-alpha.1+g1a2b3c4"]) {
    expect(releaseVersion(version)).toBe(version);
  }
  for (const file of ["./3.1.0", "weave", "/opt/weave", "3", "3.1/weave", "../9.9"]) {
    expect(releaseVersion(file)).toBeUndefined();
  }
});
