import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import type { Readable } from "node:stream";
import { memoryFile } from "../../ffi/descriptor.ts";
import { utf8 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import { calmCompiler } from "./calm-compiler.ts";
import { type KeptProgram, startKeeper } from "./keeper.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { keptFiles, type Paths } from "./paths.ts";
import {
  isDying,
  isRunning,
  type RunningRouter,
  runningRouter,
  startTicksOf,
  writePidFile,
} from "./pid-file.ts";
import { removeDeadSockets } from "./plugin-sockets.ts";
import { restOfAnswer } from "./router-answer.ts";
import { secretTracingVariables } from "./tracing/tracing-options.ts";

/**
 * A router as a process of its own, seen from the command that starts or stops it.
 *
 *   weave launch ──spawn──▶ [keeper ──▶] router (own session; log file as output)
 *        │ options as JSON in a file in memory: no secret in arguments, environment or on a disk
 *        ◀── one line on descriptor 3: `ready <id>` or `failed {code, message, remedy}`
 */
export const readyDescriptor = 3;

/** The hidden command that the child runs. */
export const routerCommand = "router";

/** A graceful stop may take this long before the process is killed. */
const stopWaitMs = 10_000;

/** How often processes that are not our children are looked at while they are waited for. */
const lookAgainMs = 10;

/** How to run this same program again: compiled, or from a checkout. */
export function selfCommand(): string[] {
  return import.meta.path.startsWith("/$bunfs/")
    ? [process.execPath]
    : [process.execPath, Bun.main];
}

/** Makes the two folders, for root alone but for the way to the socket of the Docker API proxy. */
export function makeFolders(paths: Paths): void {
  for (const [folder, mode] of [
    [paths.runDir, 0o711],
    [paths.stateDir, 0o700],
  ] as const) {
    try {
      mkdirSync(folder, { recursive: true, mode });
      chmodSync(folder, mode);
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
  if (await isTaken(paths)) {
    throw new WeaveError(
      "ALREADY_RUNNING",
      "weave is already running; you can stop it with 'weave stop'.",
    );
  }
  makeFolders(paths);
  const input = readableText(JSON.stringify(options));
  const environment = { ...calmCompiler, ...environmentWithoutSecrets() };
  const command = [...selfCommand(), routerCommand];
  const program = { command, environment, input, logFile: paths.logFile };
  const child = options.restart ? startKeeper(program) : startAlone(program);
  closeSync(input);
  const pid = child.pid ?? 0;
  const started = { pid, startTicks: startTicksOf(pid) ?? "" };
  const answer = await firstLine(child.stdio[readyDescriptor] as Readable);
  child.unref();
  let id: string;
  try {
    id = runOf(answer, paths);
  } catch (error) {
    // What was refused leaves nothing behind, not even for a moment.
    await ended(started, stopWaitMs);
    throw error;
  }
  // Not before: of several launches at once all but one are refused, and their keepers go.
  if (options.restart) writePidFile(paths.keeperFile, pid);
  return id;
}

/** A descriptor from which this text can be read, over and over by opening it again. */
export function readableText(text: string): number {
  const memory = memoryFile("weave-options", utf8(text));
  try {
    return openSync(`/proc/self/fd/${memory}`, "r");
  } finally {
    closeSync(memory);
  }
}

/** The router without a keeper: nobody starts it again. */
function startAlone({ command, environment, input, logFile }: KeptProgram): ChildProcess {
  const [file, ...args] = command;
  const log = openSync(logFile, "a", 0o600);
  const nobody = openSync("/dev/null", "w");
  try {
    return spawn(file!, args, {
      detached: true,
      stdio: [input, log, log, "pipe", nobody],
      cwd: "/",
      env: environment,
    });
  } finally {
    for (const descriptor of [log, nobody]) closeSync(descriptor);
  }
}

/** What is secret reaches the router on its input; every user may not read it in /proc. */
function environmentWithoutSecrets(): Record<string, string | undefined> {
  const secrets = new Set<string>(["WEAVE_PASSWORD", ...secretTracingVariables]);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !secrets.has(name)));
}

/** What stands before the first line end; a keeper holds its end of the pipe as long as it lives. */
async function firstLine(stream: Readable): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  return text.trim();
}

function runOf(answer: string, paths: Paths): string {
  const id = restOfAnswer(answer, "ready");
  if (id !== undefined) return id;
  throw new WeaveError("LAUNCH_DIED", "The weave router has died.", {
    remedy: `Consult the log for further details: ${paths.logFile}`,
  });
}

/** Ends the router of this run folder and its keeper. Returns false when neither was there. */
export async function stopRouter(paths: Paths): Promise<boolean> {
  const keeper = runningRouter(paths.keeperFile);
  if (keeper !== undefined) process.kill(keeper.pid, "SIGTERM");
  // A keeper may be about to start a router, which then has its turn.
  let found = keeper !== undefined;
  for (;;) {
    const router = runningRouter(paths.pidFile);
    found ||= router !== undefined;
    if (router !== undefined) await endProcess(router);
    else if (keeper === undefined || !isRunning(keeper)) break;
    else await Bun.sleep(lookAgainMs);
  }
  for (const file of [paths.pidFile, paths.keeperFile, paths.socket, paths.proxySocket])
    rmSync(file, { force: true });
  removeDeadSockets(paths);
  return found;
}

/** Whether somebody runs in this folder, once those who were killed a moment ago are gone. */
async function isTaken(paths: Paths): Promise<boolean> {
  const running = runningRouter(paths.pidFile) ?? runningRouter(paths.keeperFile);
  if (running === undefined) return false;
  if (!isDying(running.pid)) return true;
  return !(await ended(running, stopWaitMs)) || isTaken(paths);
}

/** Asks a process to end, and makes it end when it does not. */
export async function endProcess(router: RunningRouter): Promise<void> {
  process.kill(router.pid, "SIGTERM");
  if (await ended(router, stopWaitMs)) return;
  process.kill(router.pid, "SIGKILL");
  await ended(router, stopWaitMs);
}

/** Waits until a process that is not our child is gone; the kernel offers no event for that here. */
async function ended(router: RunningRouter, waitMs: number): Promise<boolean> {
  for (const deadline = performance.now() + waitMs; performance.now() < deadline; ) {
    if (!isRunning(router)) return true;
    await Bun.sleep(lookAgainMs);
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
  } else if (existsSync(paths.database) && !options.force) {
    throw new WeaveError(
      "RESET_NOT_RUNNING",
      "ERROR: weave is not running; unable to remove from cluster.",
      { remedy: "Re-launch weave before reset or use --force to override." },
    );
  }
  await stopRouter(paths);
  options.removeTraces(paths);
  for (const file of keptFiles(paths)) rmSync(file, { force: true });
  for (const folder of [...Object.values(paths.waitHelper), paths.removedInterfaces]) {
    rmSync(folder, { recursive: true, force: true });
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
