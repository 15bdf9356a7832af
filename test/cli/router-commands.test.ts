import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeaveError } from "../../lib/base/errors.ts";
import { ApiError } from "../../lib/cli/api-error.ts";
import { FileFollower } from "../../lib/cli/file-follower.ts";
import { weave } from "./command-line.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("weave launch", () => {
  test("prints the id of the run and nothing else", async () => {
    const id = "ab".repeat(32);
    const outcome = await weave(["launch", "host2", "--no-fastdp"], { launch: () => id });
    expect(outcome).toMatchObject({ code: 0, stdout: `${id}\n`, stderr: "" });
    expect(outcome.launched).toMatchObject([{ peers: ["host2"], fastdp: false }]);
  });

  test("fails with 3 when a router runs already", async () => {
    const text = "weave is already running; you can stop it with 'weave stop'.";
    const outcome = await weave(["launch"], {
      launch: () => {
        throw new WeaveError("ALREADY_RUNNING", text);
      },
    });
    expect(outcome).toMatchObject({ code: 3, stdout: "", stderr: `${text}\n` });
  });

  test("fails with 125 for a value its flag does not take, with 1 for a conflict", async () => {
    const wrong = await weave(["launch", "--ipalloc-range", "10.2.0.1/16"]);
    expect(wrong.code).toBe(125);
    expect(wrong.stderr).toContain("did you mean 10.2.0.0/16?");
    const conflict = await weave(["launch", "--resume", "host2"]);
    expect(conflict.code).toBe(1);
    expect(conflict.launched).toEqual([]);
  });

  test("notes an old spelling on stderr and starts", async () => {
    const outcome = await weave(["launch", "-iprange", "10.2.0.0/16"]);
    expect(outcome.stderr).toBe("note: -iprange is an old spelling; write --ipalloc-range\n");
    expect(outcome.launched[0]?.ipalloc).toMatchObject({ range: "10.2.0.0/16", rangeGiven: true });
  });

  test("notes a password that can be guessed, without showing it, and starts", async () => {
    const weak = await weave(["launch", "--password", "hunter2"]);
    expect(weak.stderr).toStartWith("note: the password has 7 characters and can be guessed");
    expect(weak.stderr).not.toContain("hunter2");
    expect(weak.launched[0]?.password).toBe("hunter2");
    const strong = await weave(["launch", "--password", "0123456789abcdef"]);
    expect(strong.stderr).toBe("");
  });

  test("takes the password from option, environment, file or stdin", async () => {
    const password = async (words: string[], stage = {}) =>
      (await weave(["launch", ...words], stage)).launched[0]?.password;
    const file = join(folder, "password");
    writeFileSync(file, "from file\nsecond line\n");
    const environment = { WEAVE_PASSWORD: "from env" };
    expect(await password(["--password", "given"], { environment })).toBe("given");
    expect(await password(["--password="], { environment })).toBe("from env");
    expect(await password([], { environment })).toBe("from env");
    expect(await password(["--password-file", file], { environment })).toBe("from file");
    expect(await password(["--password-file", "-"], { stdin: "typed\n" })).toBe("typed");
    expect(await password([])).toBeUndefined();
  });

  test("refuses an empty or missing password file instead of starting in clear", async () => {
    const empty = join(folder, "empty");
    writeFileSync(empty, "\n");
    for (const file of [empty, join(folder, "absent")]) {
      const outcome = await weave(["launch", "--password-file", file]);
      expect(outcome.code).toBe(1);
      expect(outcome.launched).toEqual([]);
      expect(outcome.stderr).toContain(file);
    }
  });

  test("--foreground runs the router here", async () => {
    const outcome = await weave(["launch", "--foreground"]);
    expect(outcome).toMatchObject({ code: 0, stdout: "", router: ["foreground"] });
  });
});

describe("somebody who is not root", () => {
  test.each(["launch", "stop", "reset", "adopt --dry-run", "snapshot save", "upgrade-self"])(
    "is told so by %p, before it mistakes what they may not read",
    async (line) => {
      const [name = "", ...words] = line.split(" ");
      const outcome = await weave([name, ...words], { isRoot: false });
      expect(outcome).toMatchObject({ code: 1, stdout: "", launched: [], router: [] });
      expect(outcome.stderr).toBe(
        `'weave ${name}' must be run as 'root'\nrun 'sudo weave ${name}'\n`,
      );
    },
  );

  test("is not told that there is no log, where nobody else may look", async () => {
    const logs = await weave(["logs"], { isRoot: false });
    expect(logs.stderr).toEndWith(" if there is one\nrun 'sudo weave logs'\n");
  });
});

describe("weave stop and reset", () => {
  test("stop succeeds, and says so when nothing ran", async () => {
    expect(await weave(["stop"], { running: true })).toMatchObject({ code: 0, stderr: "" });
    expect(await weave(["stop"])).toMatchObject({ code: 0, stderr: "Weave is not running.\n" });
  });

  test("stop has Docker give up its network, and lists the containers that hold it", async () => {
    const id = "0123456789abcdef".repeat(4);
    const answer = () => JSON.stringify({ network: "weave", containers: [{ id, name: "web" }] });
    const outcome = await weave(["stop"], { running: true, answer });
    expect(outcome.requests).toMatchObject([{ method: "DELETE", path: ["plugin", "network"] }]);
    expect(outcome.router).toEqual(["stop"]);
    expect(outcome).toMatchObject({ code: 0, stdout: "" });
    expect(outcome.stderr).toBe(
      'WARNING: the following containers are still attached to network "weave":\n' +
        "  0123456789ab web\n" +
        "Docker operations involving those containers may pause or fail\n" +
        "while Weave is not running\n",
    );
  });

  test("stop and reset go on when Docker or the router refuses that", async () => {
    const refuse = (kind: "refused" | "feature-off") => () => {
      throw new ApiError(kind, "ENGINE_UNREACHABLE", "no Docker engine answers");
    };
    const refused = await weave(["reset"], { answer: refuse("refused") });
    expect(refused.stderr).toBe(
      "note: Docker keeps its network of weave: no Docker engine answers\n",
    );
    expect(refused.router).toEqual(["reset"]);
    const off = await weave(["stop"], { running: true, answer: refuse("feature-off") });
    expect(off).toMatchObject({ code: 0, stderr: "" });
  });

  test("reset passes --force on", async () => {
    expect((await weave(["reset", "--force"])).router).toEqual(["reset --force"]);
    expect((await weave(["reset"])).router).toEqual(["reset"]);
  });
});

describe("weave setup-systemd", () => {
  test("hands on what 'weave launch' would take, files by their whole path", async () => {
    const words = ["setup-systemd", "host2", "--password-file", "secret", "--no-dns", "--now"];
    const outcome = await weave([...words, "--mtu=1400"], { environment: { WEAVE_PORT: "7000" } });
    expect(outcome).toMatchObject({ code: 0, stdout: "done\n" });
    const file = join(process.cwd(), "secret");
    expect(outcome.router).toEqual([
      `set up --password-file=${file} --port=7000 --no-dns --mtu=1400 host2 at / now`,
    ]);
  });

  test("hands on how the shell finds its Docker engine, and no password", async () => {
    const environment = {
      DOCKER_HOST: "tcp://engine:2376",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "certificates",
      WEAVE_PASSWORD: "not a word of this",
    };
    const outcome = await weave(["setup-systemd"], { environment });
    const folder = join(process.cwd(), "certificates");
    expect(outcome.router).toEqual([
      `set up --docker-api=tcp://engine:2376 at / by DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${folder}`,
    ]);
  });

  test("refuses an engine that the service would not find", async () => {
    const environment = { DOCKER_CONTEXT: "gone", HOME: "/nowhere" };
    const outcome = await weave(["setup-systemd"], { environment });
    expect(outcome).toMatchObject({ code: 1, router: [] });
    expect(outcome.stderr).toContain('no Docker context "gone"');
  });

  test("refuses what a service would fail with, and a password that everybody could read", async () => {
    for (const words of [["--mtu", "much"], ["--password", "secret"], ["--foreground"]]) {
      const outcome = await weave(["setup-systemd", ...words]);
      expect(outcome.code).toBe(1);
      expect(outcome.router).toEqual([]);
    }
    const { stderr } = await weave(["setup-systemd", "--password", "secret"]);
    expect(stderr).toContain("use --password-file");
  });
});

describe("weave snapshot", () => {
  test("saves to standard output, or to a file for root alone", async () => {
    expect(await weave(["snapshot", "save"])).toMatchObject({ stdout: "{}\n", stderr: "" });
    const file = join(folder, "snapshot.json");
    const outcome = await weave(["snapshot", "save", file]);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toContain(
      `${file}: 1 address, 0 exposed addresses, 2 names, 3 peers to connect to`,
    );
    expect(readFileSync(file, "utf8")).toBe("{}\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("restores from a file or standard input, with its switches", async () => {
    const file = join(folder, "restored.json");
    writeFileSync(file, "from file\n");
    const outcome = await weave(["snapshot", "restore", file, "--force"]);
    expect(outcome.router).toEqual(["restore from file --force"]);
    expect(outcome.stderr).toContain("restored as of 2026-01-02T03:04:05.000Z");
    const piped = await weave(["snapshot", "restore", "--ranges"], { stdin: "piped" });
    expect(piped.router).toEqual(["restore piped --ranges"]);
  });

  test("names the file that it cannot read or write", async () => {
    for (const action of ["save", "restore"]) {
      const { code, stderr } = await weave(["snapshot", action, join(folder, "no", "such")]);
      expect(code).toBe(1);
      expect(stderr).toContain(join(folder, "no", "such"));
    }
  });
});

describe("weave upgrade-self", () => {
  test("hands the file on, if one is given, and says who the router is now", async () => {
    const stdout = "process 4711 is the router now\n";
    expect(await weave(["upgrade-self"])).toMatchObject({ code: 0, stdout, router: ["upgrade"] });
    expect((await weave(["upgrade-self", "./weave"])).router).toEqual(["upgrade ./weave"]);
  });
});

describe("weave logs", () => {
  test("prints the whole log or its last lines", async () => {
    const logFile = join(folder, "weave.log");
    writeFileSync(logFile, "one\ntwo\nthree\n");
    expect((await weave(["logs"], { logFile })).stdout).toBe("one\ntwo\nthree\n");
    expect((await weave(["logs", "--tail", "2"], { logFile })).stdout).toBe("two\nthree\n");
    expect((await weave(["logs", "--tail=0"], { logFile })).stdout).toBe("");
  });

  test("says so when no router has run", async () => {
    const { code, stderr } = await weave(["logs"], { logFile: join(folder, "none.log") });
    expect(code).toBe(1);
    expect(stderr).toContain("no router has run here");
  });

  test("-f ends when interrupted", async () => {
    const logFile = join(folder, "follow.log");
    writeFileSync(logFile, "one\n");
    const interrupts = AbortSignal.abort();
    expect(await weave(["logs", "-f"], { logFile, interrupts })).toMatchObject({
      code: 0,
      stdout: "one\n",
    });
  });
});

describe("a followed file", () => {
  test("is read on from where it was, and from its start when replaced", () => {
    const path = join(folder, "rotating.log");
    const follower = new FileFollower(path);
    expect(follower.readNew()).toBeUndefined();
    writeFileSync(path, "one\n");
    expect(follower.readNew()).toBe("one\n");
    expect(follower.readNew()).toBe("");
    appendFileSync(path, "t\u00e4");
    expect(follower.readNew()).toBe("tä");
    renameSync(path, `${path}.1`);
    writeFileSync(path, "after\n");
    expect(follower.readNew()).toBe("after\n");
  });
});
