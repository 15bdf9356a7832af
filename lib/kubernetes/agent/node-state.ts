import type { Database } from "bun:sqlite";
import { existsSync, renameSync } from "node:fs";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import type { Log } from "../../base/world.ts";
import { SqliteAllocatorStore } from "../../daemon/allocator-store.ts";
import { openDatabase } from "../../daemon/database.ts";
import { importOriginal, readOriginalDatabase } from "../../daemon/original-import.ts";
import { databaseFiles, type Paths } from "../../daemon/paths.ts";
import { settlePeerName } from "../../daemon/peer-identity.ts";
import { SettingsStore } from "../../daemon/settings-store.ts";

/** Put there once the peer of this state is in the cluster's list, and so may be taken out of it. */
const listedSetting = "kubernetes-listed";

/** To be called when the peer of this state is in the list. */
export function rememberListed(settings: SettingsStore): void {
  settings.saveSetting(listedSetting, "yes");
}

/** Ends the names of files that nobody goes on from; a later one takes the place of an earlier. */
const asideSuffix = ".reclaimed";

export interface NodeStatePlaces {
  readonly paths: Paths;
  /** What a router of Weave Net 2.x remembers, if there was one. */
  readonly formerDatabase: string;
  /** Where the host's own root is mounted. */
  readonly hostRoot: string;
}

/**
 * Settles which state the router of this node goes on from, and so what it is called: its own, else
 * that of a router of Weave Net 2.x. State whose ranges others have taken meanwhile is set aside: who
 * goes on with it owns addresses that others give out (kubernetes §4.6).
 *
 * @param isListed whether a peer is in the cluster's list; `undefined` when nobody can tell
 * @throws WeaveError `STORE_…`, `IMPORT_UNREADABLE`
 */
export function settleNodeState(
  { paths, formerDatabase, hostRoot }: NodeStatePlaces,
  isListed: (name: string) => boolean | undefined,
  log: Log,
): { readonly peerName: string } {
  for (;;) {
    const database = openDatabase(paths.database);
    try {
      const settings = new SettingsStore(database);
      takeFormer(formerDatabase, { settings, database }, isListed, log);
      const { name } = settlePeerName(
        { name: undefined, weaveBridge: "weave" },
        settings,
        hostRoot,
      );
      if (!isTaken(settings, name, isListed)) return { peerName: formatPeerName(name) };
      log.warn(
        `the ranges of ${formatPeerName(name)} were given to others while it was away: ` +
          `its state is kept as ${paths.database}${asideSuffix}, and it begins anew`,
      );
    } finally {
      database.close();
    }
    setAside(databaseFiles(paths));
  }
}

function isTaken(
  settings: SettingsStore,
  name: PeerName,
  isListed: (name: string) => boolean | undefined,
): boolean {
  return settings.setting(listedSetting) !== undefined && isListed(formatPeerName(name)) === false;
}

function takeFormer(
  path: string,
  { settings, database }: { readonly settings: SettingsStore; readonly database: Database },
  isListed: (name: string) => boolean | undefined,
  log: Log,
): void {
  const allocations = new SqliteAllocatorStore(database);
  if (!existsSync(path) || allocations.load() !== undefined) return;
  const { allocations: former, mayBeReclaimed } = readOriginalDatabase(path);
  if (mayBeReclaimed && former !== undefined && isListed(formatPeerName(former.self)) === false) {
    log.warn(`the ranges of ${path} were given to others: it is kept as ${path}${asideSuffix}`);
    setAside([path]);
    return;
  }
  importOriginal(path, { settings, allocations }, log);
  if (mayBeReclaimed) rememberListed(settings);
}

function setAside(files: readonly string[]): void {
  for (const file of files) if (existsSync(file)) renameSync(file, `${file}${asideSuffix}`);
}
