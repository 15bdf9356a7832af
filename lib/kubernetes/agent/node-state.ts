import type { Database } from "bun:sqlite";
import { existsSync, renameSync } from "node:fs";
import { formatPeerName } from "../../base/peer-name.ts";
import type { Log } from "../../base/world.ts";
import { SqliteAllocatorStore } from "../../daemon/allocator-store.ts";
import { openDatabase } from "../../daemon/database.ts";
import { importOriginal, readOriginalDatabase } from "../../daemon/original-import.ts";
import { databaseFiles, type Paths } from "../../daemon/paths.ts";
import { peerNameSetting, settlePeerName } from "../../daemon/peer-identity.ts";
import { SettingsStore } from "../../daemon/settings-store.ts";
import { defaultDeviceNames } from "../../host/device-names.ts";
import type { Enrolment } from "../peer-registration.ts";

/** UID of the list that the peer of this state is in, and so may be taken out of. */
const listedSetting = "kubernetes-listed";

/** Ends the names of files that nobody goes on from; a later one takes the place of an earlier. */
const asideSuffix = ".reclaimed";

/** To be called when the peer of this state is in a list. @param listUid empty when it is not known */
export function rememberListed(settings: SettingsStore, listUid: string): void {
  settings.saveSetting(listedSetting, listUid);
}

/** Of the router that ran here last; `undefined` when there is no state. @throws WeaveError `STORE_…` */
export function storedPeerName(paths: Paths): string | undefined {
  if (!existsSync(paths.database)) return undefined;
  return withState(paths, (database) => new SettingsStore(database).setting(peerNameSetting));
}

export interface NodeStatePlaces {
  readonly paths: Paths;
  /** What a router of Weave Net 2.x remembers, if there was one. */
  readonly formerDatabase: string;
  /** Where the host's own root is mounted. */
  readonly hostRoot: string;
}

/** Whether a peer may go on with the ranges that it remembers: others may have taken them. */
export type MayGoOn = (enrolment: Enrolment) => Promise<boolean>;

/**
 * Settles which state the router of this node goes on from, and gives its peer name: its own state,
 * else that of a router of Weave Net 2.x. State whose ranges others have taken meanwhile is set aside:
 * who goes on with it owns addresses that others give out (kubernetes §4.6).
 *
 * @throws WeaveError `STORE_…`, `IMPORT_UNREADABLE`, and whatever `mayGoOn` throws
 */
export async function settleNodeState(
  places: NodeStatePlaces,
  mayGoOn: MayGoOn,
  log: Log,
): Promise<string> {
  const { paths, formerDatabase } = places;
  await setFormerAside(formerDatabase, mayGoOn, log);
  const { peerName, listUid } = withState(paths, (database) => readState(database, places, log));
  if (listUid === undefined || (await mayGoOn({ peerName, listUid }))) return peerName;
  setAside(databaseFiles(paths));
  log.warn(
    `the ranges of ${peerName} were given to others while it was away: ` +
      `its state is kept as ${paths.database}${asideSuffix}, and it begins anew`,
  );
  return withState(paths, (database) => readState(database, places, log)).peerName;
}

/** The database must not be open while others are asked: another process may have to move it. */
function withState<Result>(paths: Paths, act: (database: Database) => Result): Result {
  const database = openDatabase(paths.database);
  try {
    return act(database);
  } finally {
    database.close();
  }
}

function readState(
  database: Database,
  { formerDatabase, hostRoot }: NodeStatePlaces,
  log: Log,
): { readonly peerName: string; readonly listUid: string | undefined } {
  const settings = new SettingsStore(database);
  const allocations = new SqliteAllocatorStore(database);
  if (existsSync(formerDatabase)) {
    const isImported = importOriginal(formerDatabase, { settings, allocations }, log);
    if (isImported && readOriginalDatabase(formerDatabase).mayBeReclaimed)
      rememberListed(settings, "");
  }
  const identity = { name: undefined, weaveBridge: defaultDeviceNames.bridge };
  return {
    peerName: formatPeerName(settlePeerName(identity, settings, hostRoot).name),
    listUid: settings.setting(listedSetting),
  };
}

async function setFormerAside(path: string, mayGoOn: MayGoOn, log: Log): Promise<void> {
  if (!existsSync(path)) return;
  const { allocations, mayBeReclaimed } = readOriginalDatabase(path);
  if (!mayBeReclaimed || allocations === undefined) return;
  if (await mayGoOn({ peerName: formatPeerName(allocations.self), listUid: "" })) return;
  setAside([path]);
  log.warn(`the ranges of ${path} were given to others: it is kept as ${path}${asideSuffix}`);
}

function setAside(files: readonly string[]): void {
  for (const file of files) if (existsSync(file)) renameSync(file, `${file}${asideSuffix}`);
}
