import { readFileSync } from "node:fs";
import {
  createMap,
  mapDelete,
  mapLookup,
  mapLookupBatch,
  mapNextKey,
  mapUpdate,
} from "../../../../ffi/bpf/maps.ts";
import { closeDescriptor } from "../../../../ffi/descriptor.ts";
import { pinnedBytes } from "../../../../ffi/memory.ts";
import { shortIds, type TableName, tableNames, tables } from "./tables.ts";

/** Rows found at once; there may be more of them behind one place of a hash table, but not so many. */
const batchRows = 4096;

/** A row of a hash table, in memory that others have when the next row is asked for. */
export interface TableRow {
  readonly key: Uint8Array;
  readonly value: DataView;
}

/**
 * The tables as the kernel has them: octets, by index or by key. What they mean is the `TableSet`'s.
 *
 *   arrays             settings, neighbours, routes, trees    read, write, put, all
 *   one a processor    counters, traffic                      sums
 *   hash tables        macs, residents, sources               insert, delete, keys, rows
 */
export class KernelTables {
  readonly descriptors: Readonly<Record<TableName, number>>;
  #processors: number | undefined;

  /** Takes over descriptors, of new tables or of those that programs forward by already. */
  constructor(descriptors: Readonly<Record<TableName, number>>) {
    this.descriptors = descriptors;
  }

  /** @throws SystemError */
  static create(): KernelTables {
    const made: [TableName, number][] = [];
    try {
      for (const name of tableNames) made.push([name, createMap(name, tables[name])]);
    } catch (error) {
      for (const [, descriptor] of made) closeDescriptor(descriptor);
      throw error;
    }
    return new KernelTables(Object.fromEntries(made) as Record<TableName, number>);
  }

  close(): void {
    for (const descriptor of Object.values(this.descriptors)) closeDescriptor(descriptor);
  }

  /** What there is in an array, read at once. */
  all<Entry>(
    table: "neighbours" | "routes",
    decode: (view: DataView) => Entry | undefined,
  ): Map<number, Entry> {
    const { keyBytes, valueBytes } = tables[table];
    const values = pinnedBytes(shortIds * valueBytes);
    const keys = pinnedBytes(shortIds * keyBytes);
    mapLookupBatch(this.descriptors[table], undefined, keys, values, shortIds);
    const found = new Map<number, Entry>();
    for (let shortId = 0; shortId < shortIds; shortId++) {
      const view = new DataView(values.buffer, shortId * valueBytes, valueBytes);
      const entry = decode(view);
      if (entry !== undefined) found.set(shortId, entry);
    }
    return found;
  }

  read(table: TableName, index: number): DataView<ArrayBuffer> {
    const value = pinnedBytes(tables[table].valueBytes);
    mapLookup(this.descriptors[table], numberKey(index), value);
    return new DataView(value.buffer);
  }

  write(table: TableName, index: number, fill: (view: DataView) => void): void {
    const view = new DataView(pinnedBytes(tables[table].valueBytes).buffer);
    fill(view);
    this.put(table, index, view);
  }

  put(table: TableName, index: number, view: DataView<ArrayBuffer>): void {
    mapUpdate(this.descriptors[table], numberKey(index), new Uint8Array(view.buffer));
  }

  /** Every key once; of a table that changes meanwhile, at most as many as it can hold. */
  keys(table: TableName): Uint8Array<ArrayBuffer>[] {
    const { keyBytes, entriesMax } = tables[table];
    const keys: Uint8Array<ArrayBuffer>[] = [];
    for (let last: Uint8Array<ArrayBuffer> | undefined; keys.length < entriesMax; ) {
      const next = pinnedBytes(keyBytes);
      if (!mapNextKey(this.descriptors[table], last, next)) break;
      keys.push(next);
      last = next;
    }
    return keys;
  }

  insert(table: TableName, key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): void {
    mapUpdate(this.descriptors[table], key, value);
  }

  /** Without effect when there is no such key. */
  delete(table: TableName, key: Uint8Array<ArrayBuffer>): void {
    mapDelete(this.descriptors[table], key);
  }

  /** Every row once; of a table that changes meanwhile, about as many as it can hold. */
  *rows(table: TableName): Generator<TableRow> {
    const { keyBytes, valueBytes, entriesMax } = tables[table];
    const keys = pinnedBytes(batchRows * keyBytes);
    const values = pinnedBytes(batchRows * valueBytes);
    let found = 0;
    let from: Uint8Array<ArrayBuffer> | undefined;
    do {
      const batch = mapLookupBatch(this.descriptors[table], from, keys, values, batchRows);
      for (let row = 0; row < batch.count; row++) {
        yield {
          key: keys.subarray(row * keyBytes, (row + 1) * keyBytes),
          value: new DataView(values.buffer, row * valueBytes, valueBytes),
        };
      }
      found += batch.count;
      from = batch.next;
    } while (from !== undefined && found < entriesMax);
  }

  /** Adds up 64-bit numbers of all processors, by their place in an entry. */
  sums(table: "counters" | "traffic", index: number): (at: number) => number {
    const rowBytes = tables[table].valueBytes;
    this.#processors ??= processors();
    const rows = pinnedBytes(rowBytes * this.#processors);
    mapLookup(this.descriptors[table], numberKey(index), rows);
    const view = new DataView(rows.buffer);
    return (at) => {
      let sum = 0n;
      for (let row = 0; row < rows.length; row += rowBytes) {
        sum += view.getBigUint64(row + at, true);
      }
      return Number(sum);
    };
  }
}

/** A key or a value of four octets. */
export function numberKey(value: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(pinnedBytes(4).buffer);
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}

/** How many rows a table with one for every processor has: of all that might be there. */
function processors(): number {
  const text = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
  return Number(/(\d+)$/.exec(text)?.[1] ?? 0) + 1;
}
