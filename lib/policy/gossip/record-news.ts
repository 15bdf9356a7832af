import type { GossipData } from "../../base/gossip.ts";
import { encodeRecords } from "./record-codec.ts";
import type { RecordTable } from "./record-table.ts";
import { keyOf, type RecordName, type SharedRecord } from "./shared-record.ts";

/** From this many on a neighbour is better asked what it lacks. */
const bulkyMin = 16;

/** Names of which there is news: what they are is looked up when it is sent. */
export class RecordNews implements GossipData {
  readonly #table: RecordTable;
  readonly #names: Map<string, RecordName>;

  constructor(table: RecordTable, names: Iterable<RecordName>) {
    this.#table = table;
    this.#names = new Map([...names].map((name) => [keyOf(name), name]));
  }

  get isBulky(): boolean {
    return this.#names.size >= bulkyMin;
  }

  encode(): Uint8Array[] {
    const records: SharedRecord[] = [...this.#names.values()].flatMap(
      (name) => this.#table.get(name) ?? [],
    );
    return encodeRecords(records);
  }

  merge(newer: GossipData): GossipData {
    if (!(newer instanceof RecordNews)) return newer;
    return new RecordNews(this.#table, [...this.#names.values(), ...newer.#names.values()]);
  }
}
