import { join, resolve } from "node:path";
import { formerFile } from "./rotating-file.ts";

/**
 * Everything a router keeps in files lies in two folders, so that several routers share a machine:
 *
 *   WEAVE_RUN_DIR    /run/weave      control.sock  weave.sock  weave.pid  …       until a reboot
 *   WEAVE_STATE_DIR  /var/lib/weave  weave.db  w/ w-nomcast/ w-noop/              until `weave reset`
 *                                   events.jsonl  cni-removed/
 */
export interface Paths {
  readonly runDir: string;
  readonly stateDir: string;
  /** Control API for root alone. */
  readonly socket: string;
  /** The Docker API proxy, where environments of Weave Net 2.x lead docker to. */
  readonly proxySocket: string;
  readonly pidFile: string;
  /** Who starts the router again when it dies, in the form of a pid file. */
  readonly keeperFile: string;
  readonly logFile: string;
  readonly database: string;
  /** What has happened here, and `.1` beside it. */
  readonly events: string;
  /** What a container runtime had removed while no router answered, a file each. */
  readonly removedInterfaces: string;
  /** What containers of an engine mount, by what it waits for before it runs their command. */
  readonly waitHelper: {
    readonly dir: string;
    readonly noMulticastDir: string;
    readonly noopDir: string;
  };
}

export function pathsFrom(env: Readonly<Record<string, string | undefined>>): Paths {
  const runDir = env.WEAVE_RUN_DIR || "/run/weave";
  const stateDir = env.WEAVE_STATE_DIR || "/var/lib/weave";
  return {
    runDir,
    stateDir,
    socket: join(runDir, "control.sock"),
    proxySocket: join(runDir === "/run/weave" ? "/var/run/weave" : runDir, "weave.sock"),
    pidFile: join(runDir, "weave.pid"),
    keeperFile: join(runDir, "weave.keeper"),
    logFile: join(runDir, "weave.log"),
    database: join(stateDir, "weave.db"),
    events: join(stateDir, "events.jsonl"),
    removedInterfaces: join(stateDir, "cni-removed"),
    waitHelper: {
      // An engine takes a path that is not absolute for the name of a volume.
      dir: resolve(stateDir, "w"),
      noMulticastDir: resolve(stateDir, "w-nomcast"),
      noopDir: resolve(stateDir, "w-noop"),
    },
  };
}

/** The database and what SQLite keeps beside it. */
export function databaseFiles({ database }: Paths): string[] {
  return ["", "-wal", "-shm"].map((suffix) => database + suffix);
}

/** All files that a router leaves when it stops. */
export function keptFiles(paths: Paths): string[] {
  const written = [paths.logFile, paths.events];
  return [...databaseFiles(paths), ...written, ...written.map(formerFile)];
}
