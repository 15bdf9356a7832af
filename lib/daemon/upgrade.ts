import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename } from "node:path";
import * as v from "valibot";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Paths } from "./paths.ts";
import { isRunning, readPidFile, runningRouter } from "./pid-file.ts";
import { Release, releaseVersion } from "./release.ts";

/** A program that has not said its version by then is none of ours. */
const versionWaitMs = 20_000;
/** From the question for a successor until it runs. */
const takeOverWaitMs = 90_000;
const lookAgainMs = 20;

/**
 * Puts another program in the place of the one that the router of this host runs, if a file or the
 * version of a release is given, and has the router succeeded by what is there then:
 *
 *   [release ▸ checksum ▸] file says its version ▸ program → program.old, file → program ▸ successor ▸ program.old removed
 *                                        └──────── when it fails, the old one is put back ─┘
 *
 * @param location where releases are published; empty when nobody said
 * @returns the process id of the router that runs now
 * @throws WeaveError `RELEASE_…`, `UPGRADE_NOT_RUNNING`, `UPGRADE_FILE`, `UPGRADE_PLACE`, `UPGRADE_FAILED`, or why
 *   the router has no successor; the router that ran goes on
 */
export async function upgradeRouter(
  source: string | undefined,
  paths: Paths,
  location: string,
): Promise<number> {
  const running = runningRouter(paths.pidFile);
  if (running === undefined) {
    throw new WeaveError("UPGRADE_NOT_RUNNING", "weave is not running: nothing is to be upgraded", {
      remedy: "put the new program in its place and start it with 'weave launch'",
    });
  }
  if (source === undefined) return succeed(paths);
  const program = programOf(running.pid);
  const version = releaseVersion(source);
  if (version === undefined) return exchange(program, source, paths);
  using release = await Release.download(version, location, paths.stateDir);
  return await exchange(program, release.program, paths);
}

async function exchange(program: string, file: string, paths: Paths): Promise<number> {
  checkProgram(file);
  const place = new Place(program);
  place.put(file);
  try {
    const pid = await succeed(paths);
    place.keep();
    return pid;
  } catch (error) {
    place.putBack();
    throw error;
  }
}

const versionSchema = v.object({ client: v.string() });

function checkProgram(file: string): void {
  try {
    if (!statSync(file).isFile()) throw new Error("it is no file");
    const { exitCode, stdout } = Bun.spawnSync([file, "version", "--json"], {
      env: { ...process.env, WEAVE_RUN_DIR: "/nonexistent", WEAVE_HTTP_ADDR: "" },
      stdin: "ignore",
      stderr: "ignore",
      timeout: versionWaitMs,
    });
    if (exitCode !== 0) throw new Error(`'version' ends with ${exitCode ?? "a signal"}`);
    v.parse(versionSchema, JSON.parse(stdout.toString()));
  } catch (cause) {
    throw new WeaveError(
      "UPGRADE_FILE",
      `${file} is no weave for this machine: ${errorText(cause)}`,
      {
        remedy: "nothing was changed; give the program of a release, executable",
        cause,
      },
    );
  }
}

/** The file of a process, also when another has taken its name since. */
function programOf(pid: number): string {
  const program = readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  if (!basename(program).startsWith("bun")) return program;
  throw new WeaveError("UPGRADE_PLACE", "the router runs from a checkout, not from a file", {
    remedy: "update the checkout, then run 'weave upgrade-self' without a file",
  });
}

/** Where a program lies that is exchanged for another and, if need be, put back. */
class Place {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  get #old(): string {
    return `${this.#program}.old`;
  }

  put(file: string): void {
    const draft = `${this.#program}.new`;
    try {
      copyFileSync(file, draft);
      chmodSync(draft, 0o755);
      rmSync(this.#old, { force: true });
      // The name always leads to a whole program: a router that dies now is started from it.
      if (existsSync(this.#program)) linkSync(this.#program, this.#old);
      renameSync(draft, this.#program);
    } catch (cause) {
      rmSync(draft, { force: true });
      throw new WeaveError(
        "UPGRADE_PLACE",
        `cannot replace ${this.#program}: ${errorText(cause)}`,
        {
          remedy: "run this as root, where there is room for a second program",
          cause,
        },
      );
    }
  }

  putBack(): void {
    if (existsSync(this.#old)) renameSync(this.#old, this.#program);
  }

  keep(): void {
    rmSync(this.#old, { force: true });
  }
}

const answerSchema = v.object({ pid: v.number() });

async function succeed(paths: Paths): Promise<number> {
  const signal = AbortSignal.timeout(takeOverWaitMs);
  const { pid } = await askForSuccessor(paths, signal);
  while (!signal.aborted) {
    const now = readPidFile(paths.pidFile);
    if (now?.pid === pid && isRunning(now)) return pid;
    if (!existsSync(`/proc/${pid}`)) break;
    await Bun.sleep(lookAgainMs);
  }
  throw new WeaveError(
    "UPGRADE_FAILED",
    "the new router did not take over; the former one goes on",
    {
      remedy: "the log says why: 'weave logs', or 'journalctl -u weave'",
    },
  );
}

async function askForSuccessor(paths: Paths, signal: AbortSignal) {
  const url = "http://localhost/successor";
  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, { method: "POST", unix: paths.socket, signal });
    status = answer.status;
    text = await answer.text();
  } catch (cause) {
    throw new WeaveError("UPGRADE_FAILED", `the router does not answer: ${errorText(cause)}`, {
      cause,
    });
  }
  if (status === 200) return v.parse(answerSchema, JSON.parse(text));
  if (status !== 404) throw new WeaveError("UPGRADE_FAILED", text.trim());
  throw new WeaveError("UPGRADE_FAILED", "the router that runs is too old to be succeeded", {
    remedy: "'weave stop' and 'weave launch --resume' with its options",
  });
}
