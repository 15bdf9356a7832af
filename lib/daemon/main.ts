import { closeSync, writeSync } from "node:fs";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import type { ContainerEngine } from "../host/container.ts";
import { type KeeperWord, keeperDescriptor } from "./keeper.ts";
import { decodeLaunchOptions, type LaunchOptions } from "./launch-options.ts";
import { openLog } from "./log-file.ts";
import type { Paths } from "./paths.ts";
import { claimPidFile, releasePidFile } from "./pid-file.ts";
import { makeFolders, readyDescriptor } from "./process.ts";
import { startRouter } from "./router.ts";
import { ServiceManager } from "./service-manager.ts";

/** Other programs on this host that the router works with. */
export interface Integrations {
  /** The container engine at an endpoint; nothing is asked of it before it is needed. */
  engine(endpoint: string): ContainerEngine;
}

/**
 * The router's process behind `weave launch`: options on standard input, readiness or refusal as
 * one line on descriptor 3, log to the run folder. Returns the exit code when it was told to stop.
 */
export async function runDetachedRouter(paths: Paths, integrations: Integrations): Promise<number> {
  const answer = (line: string): void => {
    writeSync(readyDescriptor, `${line}\n`);
    closeSync(readyDescriptor);
  };
  try {
    const options = decodeLaunchOptions(await Bun.stdin.text());
    return await runRouter(options, paths, integrations, {
      logFile: paths.logFile,
      ready(id) {
        tellKeeper("ready");
        answer(`ready ${id}`);
      },
      stopped: () => tellKeeper("stopped"),
    });
  } catch (error) {
    const remedy = error instanceof WeaveError ? error.remedy : undefined;
    answer(
      `failed ${JSON.stringify({ code: errorCode(error), message: errorText(error), remedy })}`,
    );
    return 1;
  }
}

/** The keeper may have been ended before the router; then nobody has to know. */
function tellKeeper(word: KeeperWord): void {
  try {
    writeSync(keeperDescriptor, `${word}\n`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

/** The router in this process, for a service manager. @throws WeaveError when it cannot start */
export async function runForegroundRouter(
  options: LaunchOptions,
  paths: Paths,
  integrations: Integrations,
): Promise<number> {
  makeFolders(paths);
  using manager = ServiceManager.take(process.env);
  return await runRouter(options, paths, integrations, {
    logFile: undefined,
    ready: (id) => manager?.ready(`run ${id}`),
    stopping: () => manager?.stopping(),
  });
}

/** Where a run writes, and who is told how it goes. */
interface RunMode {
  /** Absent: to standard error. */
  readonly logFile: string | undefined;
  ready(id: string): void;
  stopping?(): void;
  stopped?(): void;
}

async function runRouter(
  options: LaunchOptions,
  paths: Paths,
  integrations: Integrations,
  mode: RunMode,
): Promise<number> {
  claimPidFile(paths.pidFile);
  try {
    const log = openLog(options.logLevel, mode.logFile);
    process.on("unhandledRejection", (error) => {
      // A request that failed on the way out must not cost the host its network.
      log.error(`unexpected failure: ${error instanceof Error ? error.stack : errorText(error)}`);
    });
    const told = toldToStop();
    const engine = options.dockerApi === "" ? undefined : integrations.engine(options.dockerApi);
    const router = await startRouter({ options, paths, log, engine });
    mode.ready(router.id);
    log.info(`ready; run ${router.id}`);
    log.info(`stopping on ${await told}`);
    mode.stopping?.();
    await router.stop();
    mode.stopped?.();
    return 0;
  } finally {
    releasePidFile(paths.pidFile);
  }
}

/** Resolves at the first signal that asks this process to end; a second one does not cut that short. */
function toldToStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
  });
}
