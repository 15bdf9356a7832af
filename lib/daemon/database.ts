import { Database } from "bun:sqlite";
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { WeaveError } from "../base/errors.ts";

/** What SQLite's files beside a database take when it is opened. */
const roomMinBytes = 64 << 10;

/** Version of the schema below, in `PRAGMA user_version`. */
const schemaVersion = 1;

const schema = `
  CREATE TABLE setting   (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE target    (position INTEGER PRIMARY KEY, peer TEXT NOT NULL) STRICT;
  CREATE TABLE address   (sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                          ident TEXT NOT NULL, address INTEGER NOT NULL, prefix INTEGER NOT NULL,
                          is_container INTEGER NOT NULL,
                          UNIQUE (address)) STRICT;
  CREATE TABLE exposed   (cidr TEXT PRIMARY KEY, masquerade INTEGER NOT NULL) STRICT;
  CREATE TABLE name      (fqdn TEXT NOT NULL, ident TEXT NOT NULL, address TEXT NOT NULL,
                          PRIMARY KEY (fqdn, ident, address)) STRICT;
`;

/** Tables that came later, without which an older release goes on with the file. */
const additions = `
  CREATE TABLE IF NOT EXISTS attached (ident TEXT PRIMARY KEY, namespace TEXT NOT NULL,
                          path TEXT NOT NULL, cidrs TEXT NOT NULL,
                          multicast INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS detached (ident TEXT PRIMARY KEY, namespace TEXT NOT NULL,
                          path TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS network  (id TEXT PRIMARY KEY, driver TEXT NOT NULL,
                          subnet TEXT NOT NULL, multicast INTEGER NOT NULL,
                          isolated INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS endpoint (id TEXT PRIMARY KEY, network TEXT NOT NULL,
                          address TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cni_interface (container TEXT NOT NULL, interface TEXT NOT NULL,
                          network TEXT NOT NULL, namespace TEXT NOT NULL, path TEXT NOT NULL,
                          port TEXT NOT NULL, cidr TEXT NOT NULL, routes TEXT NOT NULL,
                          mtu INTEGER NOT NULL, hairpin INTEGER NOT NULL,
                          PRIMARY KEY (container, interface)) STRICT;
  CREATE TABLE IF NOT EXISTS pod (ident TEXT PRIMARY KEY, namespace TEXT NOT NULL,
                          name TEXT NOT NULL, uid TEXT NOT NULL, labels TEXT NOT NULL,
                          since INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS policy_record (kind TEXT NOT NULL, scope TEXT NOT NULL,
                          name TEXT NOT NULL, wall INTEGER NOT NULL, count INTEGER NOT NULL,
                          peer INTEGER NOT NULL, content TEXT,
                          PRIMARY KEY (kind, scope, name)) STRICT;
`;

/** What is read from each table: a file in which one of these is missing is not ours any more. */
const columns: Readonly<Record<string, string>> = {
  setting: "name, value",
  target: "position, peer",
  address: "sequence, ident, address, prefix, is_container",
  exposed: "cidr, masquerade",
  name: "fqdn, ident, address",
  attached: "ident, namespace, path, cidrs, multicast",
  detached: "ident, namespace, path",
  network: "id, driver, subnet, multicast, isolated",
  endpoint: "id, network, address",
  cni_interface: "container, interface, network, namespace, path, port, cidr, routes, mtu, hairpin",
  pod: "ident, namespace, name, uid, labels, since",
  policy_record: "kind, scope, name, wall, count, peer, content",
};

/**
 * Opens the router's state, making it when there is none.
 *
 * Every change is one transaction. A change survives the death of the process at once, and a power
 * cut within a second or so: WAL with `synchronous = NORMAL`; what a cut could take back (an address
 * given out a moment before) is taken back from the container as well.
 *
 * @throws WeaveError `STORE_UNUSABLE`, `STORE_NEWER`, `STORE_DAMAGED`
 */
export function openDatabase(path: string): Database {
  const database = open(path);
  try {
    prepare(database, path);
    return database;
  } catch (cause) {
    database.close();
    if (cause instanceof WeaveError) throw cause;
    throw damaged(path, { cause });
  }
}

function open(path: string): Database {
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, strict: true });
    database.run("PRAGMA busy_timeout = 2000");
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    return database;
  } catch (cause) {
    database?.close();
    throw unusable(path, cause);
  }
}

/** A full disk is told apart: nobody should throw the state away for it. */
function unusable(path: string, cause: unknown): WeaveError {
  const hasRoom = hasRoomBeside(path);
  const problem = hasRoom ? "" : ": its disk is full";
  return new WeaveError("STORE_UNUSABLE", `cannot open the router's state ${path}${problem}`, {
    remedy: hasRoom
      ? "see that no other router uses this WEAVE_STATE_DIR; 'weave reset --force' removes it"
      : `make room on the disk of ${dirname(path)}, and launch again`,
    cause,
  });
}

function hasRoomBeside(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= roomMinBytes;
  } catch {
    return true;
  }
}

/** Makes the tables of a new file, and looks whether those of an old one are whole. */
function prepare(database: Database, path: string): void {
  const found = database.query<{ user_version: number }, []>("PRAGMA user_version").get();
  const version = found?.user_version ?? 0;
  if (version > schemaVersion) {
    throw new WeaveError("STORE_NEWER", `${path} was written by a newer weave`, {
      remedy: "install that version again, or 'weave reset --force' to start without state",
    });
  }
  if (version === 0) {
    database.transaction(() => {
      database.run(schema);
      database.run(`PRAGMA user_version = ${schemaVersion}`);
    })();
  }
  const check = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check(1)").get();
  if (check?.integrity_check !== "ok") throw damaged(path, { cause: check?.integrity_check });
  database.run(additions);
  // Behind a damaged table definition everything else may be in order.
  const named = database.query<{ name: string }, [string]>(
    "SELECT name FROM pragma_table_info(?) ORDER BY cid",
  );
  for (const table in columns) {
    const found = named.all(table).map(({ name }) => name);
    if (found.join(", ") !== columns[table]) throw damaged(path, { cause: `table ${table}` });
  }
}

function damaged(path: string, options: { cause: unknown }): WeaveError {
  return new WeaveError("STORE_DAMAGED", `the router's state ${path} is damaged`, {
    remedy:
      "restore the file from a backup, or 'weave reset --force' to start without state; addresses in use are claimed again",
    ...options,
  });
}
