import type { Database } from "bun:sqlite";
import { written } from "../store-write.ts";
import { parseJson } from "./pod-document.ts";
import type { PodFacts } from "./pod-facts.ts";

/** Who each attached container is to policies, in the router's database. Changes throw `STORE_WRITE`. */
export class PodStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): Map<string, PodFacts> {
    const rows = this.#database.query<PodRow, []>("SELECT * FROM pod").all();
    return new Map(
      rows.map(({ ident, namespace, name, uid, labels, since }) => [
        ident,
        { ...{ namespace, name, uid, sinceMs: since }, labels: textsOf(parseJson(labels)) },
      ]),
    );
  }

  save(ident: string, { namespace, name, uid, labels, sinceMs }: PodFacts): void {
    const insert = this.#database.query("INSERT OR REPLACE INTO pod VALUES (?, ?, ?, ?, ?, ?)");
    written(() => insert.run(ident, namespace, name, uid, JSON.stringify(labels), sinceMs));
  }

  remove(ident: string): void {
    const remove = this.#database.query("DELETE FROM pod WHERE ident = ?");
    written(() => remove.run(ident));
  }
}

interface PodRow {
  readonly ident: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** As JSON. */
  readonly labels: string;
  readonly since: number;
}

function textsOf(json: unknown): Record<string, string> {
  if (typeof json !== "object" || json === null) return {};
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
