import type { Database } from "bun:sqlite";
import { peerNameFromNumber } from "../../base/peer-name.ts";
import type { RecordStore } from "../../policy/gossip/record-table.ts";
import {
  isPlausible,
  type RecordName,
  type SharedRecord,
} from "../../policy/gossip/shared-record.ts";
import { written } from "../store-write.ts";

/** What peers tell each other of policy, in the router's database: a row for each record. */
export class SqliteRecordStore implements RecordStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): SharedRecord[] {
    return this.#database
      .query<RecordRow, []>("SELECT * FROM policy_record")
      .all()
      .map(({ kind, scope, name, wall, count, peer, content }) => ({
        ...{ kind, scope, name },
        stamp: { wallMs: wall, count, peer: peerNameFromNumber(peer) },
        content: content ?? undefined,
      }))
      .filter(isPlausible);
  }

  save(records: readonly SharedRecord[]): void {
    const insert = this.#database.query(
      "INSERT OR REPLACE INTO policy_record VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    const insertAll = this.#database.transaction(() => {
      for (const { kind, scope, name, stamp, content } of records) {
        const { wallMs, count, peer } = stamp;
        insert.run(kind, scope, name, wallMs, count, peer, content ?? null);
      }
    });
    written(() => insertAll());
  }

  erase(names: readonly RecordName[]): void {
    const remove = this.#database.query(
      "DELETE FROM policy_record WHERE kind = ? AND scope = ? AND name = ?",
    );
    const removeAll = this.#database.transaction(() => {
      for (const { kind, scope, name } of names) remove.run(kind, scope, name);
    });
    written(() => removeAll());
  }
}

interface RecordRow extends RecordName {
  readonly wall: number;
  readonly count: number;
  readonly peer: number;
  readonly content: string | null;
}
