import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { WeaveError } from "../base/errors.ts";
import type { Caller } from "../base/network-event.ts";
import { formatPeerName, parsePeerName } from "../base/peer-name.ts";
import { SqliteAllocatorStore } from "./allocator-store.ts";
import { openDatabase } from "./database.ts";
import { noteDeed } from "./events/noted-deeds.ts";
import type { Paths } from "./paths.ts";
import { importedNameSetting, peerNameSetting } from "./peer-identity.ts";
import { runningRouter } from "./pid-file.ts";
import { makeFolders } from "./process.ts";
import { SettingsStore } from "./settings-store.ts";
import {
  extentOf,
  formatSnapshot,
  parseSnapshot,
  type SnapshotExtent,
  type SnapshotState,
} from "./snapshot.ts";
import { written } from "./store-write.ts";

export interface RestoreOptions {
  /** Replace what is there. */
  readonly force: boolean;
  /** Also who owns which addresses: only where no other peer knows it any more. */
  readonly ranges: boolean;
  /** Who asked. */
  readonly by?: Caller;
}

/**
 * The state of this host's router, running or not, as it is at one moment.
 *
 * @throws WeaveError `SNAPSHOT_NO_STATE`, or what the database refuses with
 */
export function takeSnapshot(paths: Paths): { text: string; extent: SnapshotExtent } {
  if (!existsSync(paths.database)) {
    throw new WeaveError("SNAPSHOT_NO_STATE", `there is no state in ${paths.stateDir} to save`, {
      remedy: "launch a router first, or set WEAVE_STATE_DIR to where one has its state",
    });
  }
  return withDatabase(paths, (database) => {
    const state = readState(database);
    const savedAt = new Date().toISOString();
    return { text: formatSnapshot({ savedAt, state }), extent: extentOf(state) };
  });
}

/**
 * Makes the state of this host that of a snapshot, whole or not at all. Without `ranges` the router
 * learns who owns which addresses from its peers, claims those that it held from their owners, and
 * gives out no others before: the snapshot may be older than what the others agreed on since.
 *
 * @throws WeaveError `ALREADY_RUNNING`, `SNAPSHOT_STATE`, `STORE_WRITE`, or what {@link parseSnapshot} refuses with
 */
export function restoreSnapshot(
  text: string,
  paths: Paths,
  options: RestoreOptions,
): { savedAt: string; extent: SnapshotExtent } {
  const { savedAt, state } = parseSnapshot(text);
  if (runningRouter(paths.pidFile) ?? runningRouter(paths.keeperFile)) {
    throw new WeaveError("ALREADY_RUNNING", "the router runs, and would not notice", {
      remedy: "'weave stop' first; containers keep their addresses and their traffic",
    });
  }
  makeFolders(paths);
  withDatabase(paths, (database) => {
    const present = extentOf(readState(database));
    if (!options.force && Object.values(present).some((count) => count > 0)) {
      throw new WeaveError("SNAPSHOT_STATE", `there is state in ${paths.stateDir} already`, {
        remedy: "save it with 'weave snapshot save' and restore with --force, which replaces it",
      });
    }
    const restore = database.transaction(() => {
      writeState(database, state, options);
      const { ranges, by } = options;
      noteDeed(new SettingsStore(database), "state.restored", { savedAt, ranges }, by);
    });
    written(() => restore());
  });
  return { savedAt, extent: extentOf(state) };
}

/**
 * Makes this the state of a host that has none, ownership of ranges included.
 *
 * @param adopted whose state it was, and who asked
 * @throws WeaveError
 */
export function adoptState(
  state: SnapshotState,
  paths: Paths,
  adopted: { readonly from: string; readonly by: Caller | undefined },
): void {
  makeFolders(paths);
  const { from, by } = adopted;
  withDatabase(paths, (database) => {
    const adopt = database.transaction(() => {
      writeState(database, state, { ranges: true });
      noteDeed(new SettingsStore(database), "router.adopted", { from }, by);
    });
    written(() => adopt());
  });
}

function withDatabase<T>(paths: Paths, action: (database: Database) => T): T {
  const database = openDatabase(paths.database);
  try {
    return action(database);
  } finally {
    database.close();
  }
}

function readState(database: Database): SnapshotState {
  return database.transaction((): SnapshotState => {
    const settings = new SettingsStore(database);
    const name = settings.setting(importedNameSetting) ?? settings.setting(peerNameSetting);
    const allocations = new SqliteAllocatorStore(database).load();
    return {
      peerName: name === undefined ? undefined : parsePeerName(name),
      targets: settings.targets(),
      exposed: settings.exposures(),
      names: settings.names(),
      allocations: allocations && {
        owner: allocations.self,
        held: allocations.held,
        ring: allocations.ring,
      },
    };
  })();
}

function writeState(
  database: Database,
  state: SnapshotState,
  { ranges }: Pick<RestoreOptions, "ranges">,
): void {
  for (const table of ["setting", "target", "address", "exposed", "name"]) {
    database.run(`DELETE FROM ${table}`);
  }
  const settings = new SettingsStore(database);
  // Addresses belong to a peer: its name goes before what the machine would be called.
  if (state.peerName !== undefined) {
    settings.saveSetting(importedNameSetting, formatPeerName(state.peerName));
  }
  settings.saveTargets(state.targets);
  for (const exposure of state.exposed) settings.saveExposure(exposure);
  for (const name of state.names) settings.saveName(name);
  if (state.allocations === undefined) return;
  const { owner, held, ring } = state.allocations;
  new SqliteAllocatorStore(database).save({
    self: owner,
    reset: true,
    ring: ranges ? ring : undefined,
    removed: [],
    added: held,
  });
}
