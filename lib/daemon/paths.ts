import { join } from "node:path";

/**
 * Everything a router keeps in files lies in two folders, so that several routers share a machine:
 *
 *   WEAVE_RUN_DIR    /run/weave      weave.sock  weave.pid  weave.keeper  weave.log     until a reboot
 *   WEAVE_STATE_DIR  /var/lib/weave  weave.db  w/ w-nomcast/ w-noop/              until `weave reset`
 */
export interface Paths {
  readonly runDir: string;
  readonly stateDir: string;
  /** Control API for root alone. */
  readonly socket: string;
  readonly pidFile: string;
  /** Who starts the router again when it dies, in the form of a pid file. */
  readonly keeperFile: string;
  readonly logFile: string;
  readonly database: string;
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
    socket: join(runDir, "weave.sock"),
    pidFile: join(runDir, "weave.pid"),
    keeperFile: join(runDir, "weave.keeper"),
    logFile: join(runDir, "weave.log"),
    database: join(stateDir, "weave.db"),
    waitHelper: {
      dir: join(stateDir, "w"),
      noMulticastDir: join(stateDir, "w-nomcast"),
      noopDir: join(stateDir, "w-noop"),
    },
  };
}

/** The database and what SQLite keeps beside it. */
export function databaseFiles({ database }: Paths): string[] {
  return ["", "-wal", "-shm"].map((suffix) => database + suffix);
}
