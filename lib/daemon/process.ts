import { spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { WeaveError } from "../base/errors.ts";
import { calmCompiler } from "./calm-compiler.ts";
import type { LaunchOptions } from "./launch-options.ts";
import type { Paths } from "./paths.ts";
import { isRunning, type RunningRouter, runningRouter } from "./pid-file.ts";

/**
 * A router as a process of its own, seen from the command that starts or stops it.
 *
 *   weave launch ──spawn──▶ router (own session; log file as output)
 *        │ options as JSON on standard input: no secret in arguments or environment
 *        ◀── one line on descriptor 3: `ready <id>` or `failed {code, message, remedy}`
 */
export const readyDescriptor = 3;

/** The hidden command that the child runs. */
export const routerCommand = "router";

/** A graceful stop may take this long before the process is killed. */
const stopWaitMs = 10_000;

/** How to run this same program again: compiled, or from a checkout. */
export function selfCommand(): string[] {
  return import.meta.path.startsWith("/$bunfs/")
    ? [process.execPath]
    : [process.execPath, Bun.main];
}

/** Makes the two folders, for root alone. */
export function makeFolders(paths: Paths): void {
  for (const folder of [paths.runDir, paths.stateDir]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
    } catch (cause) {
      throw new WeaveError("FOLDER_UNUSABLE", `cannot use ${folder}`, {
        remedy: "set WEAVE_RUN_DIR and WEAVE_STATE_DIR to folders that root can write",
        cause,
      });
    }
  }
}

/**
 * Starts a router and waits until it is ready.
 *
 * @returns the id of its run, 64 hex digits
 * @throws WeaveError `ALREADY_RUNNING`, or what the router itself refused with
 */
export async function launchRouter(options: LaunchOptions, paths: Paths): Promise<string> {
  if (runningRouter(paths.pidFile) !== undefined) {
    throw new WeaveError(
      "ALREADY_RUNNING",
      "weave is already running; you can stop it with 'weave stop'.",
    );
  }
  makeFolders(paths);
  const log = openSync(paths.logFile, "a", 0o600);
  const [program, ...script] = selfCommand();
  const child = spawn(program!, [...script, routerCommand], {
    detached: true,
    stdio: ["pipe", log, log, "pipe"],
    cwd: "/",
    env: { ...calmCompiler, ...environmentWithoutSecrets() },
  });
  closeSync(log);
  // A child that dies at once closes its input; what matters then is its exit, not this write.
  child.stdin!.on("error", () => {});
  child.stdin!.end(JSON.stringify(options));
  const answer = await readAll(child.stdio[readyDescriptor] as Readable);
  child.unref();
  return parseAnswer(answer, paths);
}

/** The password reaches the router on its input; every user may not read it in /proc. */
function environmentWithoutSecrets(): Record<string, string | undefined> {
  const { WEAVE_PASSWORD: _, ...environment } = process.env;
  return environment;
}

async function readAll(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text.trim();
}

function parseAnswer(answer: string, paths: Paths): string {
  const [word, rest] = [answer.split(" ", 1)[0], answer.slice(answer.indexOf(" ") + 1)];
  if (word === "ready") return rest;
  if (word === "failed") {
    const { code, message, remedy } = JSON.parse(rest) as Record<string, string>;
    throw new WeaveError(code ?? "LAUNCH_FAILED", message ?? "", remedy ? { remedy } : {});
  }
  throw new WeaveError("LAUNCH_DIED", "The weave router has died.", {
    remedy: `Consult the log for further details: ${paths.logFile}`,
  });
}

/** Ends the router of this run folder. Returns false when none was running. */
export async function stopRouter(paths: Paths): Promise<boolean> {
  const running = runningRouter(paths.pidFile);
  if (running === undefined) return false;
  process.kill(running.pid, "SIGTERM");
  if (!(await ended(running, stopWaitMs))) {
    process.kill(running.pid, "SIGKILL");
    await ended(running, stopWaitMs);
  }
  rmSync(paths.pidFile, { force: true });
  rmSync(paths.socket, { force: true });
  return true;
}

/** Waits until a process that is not our child is gone; the kernel offers no event for that here. */
async function ended(router: RunningRouter, waitMs: number): Promise<boolean> {
  for (const deadline = performance.now() + waitMs; performance.now() < deadline; ) {
    if (!isRunning(router)) return true;
    await Bun.sleep(10);
  }
  return !isRunning(router);
}

/** What `weave reset` asks of the machine once no router runs any more. */
export type RemoveTraces = (paths: Paths) => void;

/** Time for the others to hear that our ranges have a new owner. */
const farewellMs = 500;

/**
 * Leaves the cluster for good: hands the ranges over, stops the router and removes everything it
 * made on this host.
 *
 * @throws WeaveError `RESET_NOT_RUNNING` when there is state of a router that does not run, unless
 *   forced: its ranges would be lost to the cluster
 */
export async function resetRouter(
  paths: Paths,
  options: { force: boolean; removeTraces: RemoveTraces },
): Promise<void> {
  if (runningRouter(paths.pidFile) !== undefined) {
    await leaveCluster(paths);
    await stopRouter(paths);
  } else if (existsSync(paths.database) && !options.force) {
    throw new WeaveError(
      "RESET_NOT_RUNNING",
      "ERROR: weave is not running; unable to remove from cluster.",
      { remedy: "Re-launch weave before reset or use --force to override." },
    );
  }
  options.removeTraces(paths);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(paths.database + suffix, { force: true });
  for (const file of [paths.pidFile, paths.socket, paths.logFile, `${paths.logFile}.1`]) {
    rmSync(file, { force: true });
  }
}

/** A router that cannot answer any more still has to go, so failure here is not fatal. */
async function leaveCluster(paths: Paths): Promise<void> {
  try {
    const signal = AbortSignal.timeout(stopWaitMs);
    const url = "http://localhost/peer";
    const answer = await fetch(url, { method: "DELETE", unix: paths.socket, signal });
    if (answer.ok) await Bun.sleep(farewellMs);
  } catch {
    // The others see the peer vanish; 'weave rmpeer' takes its ranges over.
  }
}
