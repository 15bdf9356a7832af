import type { Database } from "bun:sqlite";
import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { formatPeerName, parsePeerName } from "../base/peer-name.ts";
import type { AllocatorChange, AllocatorState, AllocatorStore } from "../ipam/allocator-store.ts";
import type { HeldAddress } from "../ipam/held-addresses.ts";
import type { RingState } from "../ipam/ring-entry.ts";
import { formatCouncil, parseCouncil } from "./council-text.ts";
import { written } from "./store-write.ts";

const ownerSetting = "ipam-owner";
const ringSetting = "ipam-ring";
const councilSetting = "ipam-council";

const peer = v.pipe(v.string(), v.transform(parsePeerName));

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const word = v.pipe(whole, v.maxValue(2 ** 32 - 1));
/** One more than an address: ranges name the first address behind them. */
const bound = v.pipe(whole, v.maxValue(2 ** 32));

/** The ring as JSON, with peers as text so that a person can read it. */
export const ringSchema = v.object({
  universe: v.object({ start: word, end: bound }),
  entries: v.array(v.object({ token: word, peer, version: word, free: bound })),
  seeds: v.array(peer),
});

const rowsSchema = v.array(
  v.object({
    ident: v.string(),
    address: word,
    prefix: v.pipe(whole, v.maxValue(32)),
    is_container: whole,
  }),
);

/** The allocator's state in the router's database: the ring as one value, each address as a row. */
export class SqliteAllocatorStore implements AllocatorStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws WeaveError `STORE_DAMAGED` */
  load(): AllocatorState | undefined {
    try {
      const owner = this.#setting(ownerSetting);
      if (owner === undefined) return undefined;
      const ring = this.#setting(ringSetting);
      const council = this.#setting(councilSetting);
      return {
        self: parsePeerName(owner),
        ring: ring === undefined ? undefined : v.parse(ringSchema, JSON.parse(ring)),
        held: this.#held(),
        ...(council !== undefined && { council: parseCouncil(council) }),
      };
    } catch (cause) {
      throw new WeaveError("STORE_DAMAGED", "the stored address allocations cannot be read", {
        remedy: "'weave reset --force' removes them; addresses in use are claimed again",
        cause,
      });
    }
  }

  /** @throws WeaveError `STORE_WRITE` */
  save(change: AllocatorChange): void {
    written(() => this.#database.transaction(() => this.#apply(change))());
  }

  #apply({ self, reset, ring, removed, added, council }: AllocatorChange): void {
    const database = this.#database;
    if (reset) {
      database.run("DELETE FROM address");
      const forget = database.query("DELETE FROM setting WHERE name = ?");
      for (const name of [ringSetting, councilSetting]) forget.run(name);
    }
    this.#saveSetting(ownerSetting, formatPeerName(self));
    if (ring !== undefined) this.#saveSetting(ringSetting, JSON.stringify(ringJson(ring)));
    if (council !== undefined) this.#saveSetting(councilSetting, formatCouncil(council));
    const remove = database.query("DELETE FROM address WHERE address = ?");
    for (const address of removed) remove.run(address);
    const add = database.query(
      `INSERT INTO address (ident, address, prefix, is_container) VALUES (?, ?, ?, ?)
         ON CONFLICT (address) DO UPDATE SET
           ident = excluded.ident, prefix = excluded.prefix, is_container = excluded.is_container`,
    );
    for (const { ident, cidr, isContainer } of added) {
      add.run(ident, cidr.address, cidr.prefix, isContainer ? 1 : 0);
    }
  }

  #held(): HeldAddress[] {
    const rows = this.#database.query("SELECT * FROM address ORDER BY sequence").all();
    return v.parse(rowsSchema, rows).map((row) => ({
      ident: row.ident,
      cidr: { address: row.address, prefix: row.prefix },
      isContainer: row.is_container !== 0,
    }));
  }

  #setting(name: string): string | undefined {
    return this.#database
      .query<{ value: string }, [string]>("SELECT value FROM setting WHERE name = ?")
      .get(name)?.value;
  }

  #saveSetting(name: string, value: string): void {
    this.#database
      .query("INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .run(name, value);
  }
}

/** What {@link ringSchema} reads. */
export function ringJson({ universe, entries, seeds }: RingState): v.InferInput<typeof ringSchema> {
  return {
    universe,
    entries: entries.map((entry) => ({ ...entry, peer: formatPeerName(entry.peer) })),
    seeds: seeds.map(formatPeerName),
  };
}
