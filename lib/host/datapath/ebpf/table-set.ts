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
import { kernelClockNs } from "../../../../ffi/kernel-clock.ts";
import { pinnedBytes } from "../../../../ffi/memory.ts";
import type { LinkTraffic } from "../../../base/overlay.ts";
import { type Mac, readMac, writeMac } from "../../../wire/ethernet.ts";
import {
  type CounterName,
  counterAt,
  counterNames,
  floodMax,
  mac,
  neighbour,
  noSelf,
  route,
  routeKind,
  settings,
  shortIds,
  type TableName,
  tables,
  tickShift,
  traffic,
} from "./tables.ts";

/** Addresses read at once; there may be more of them behind one place of the table, but not so many. */
const macBatch = 4096;

/** A neighbour as the programs know it. */
export interface NeighbourEntry {
  readonly remote: number;
  readonly local: number;
  /** Index of the VXLAN device of its port. */
  readonly device: number;
  /** Index of the device whose frames go to it alone; 0 for none. */
  readonly lane: number;
  /** Octets of the longest frame for the tunnel; 0 for any. */
  readonly longest: number;
  /** Where its frames count; 0 for nowhere of their own. */
  readonly slot: number;
}

export interface SettingsEntry {
  readonly self: number | undefined;
  readonly uplink: number;
  readonly handover: number;
}

export type RouteEntry =
  | { readonly kind: "tunnel"; readonly neighbour: number }
  | { readonly kind: "sleeve" };

export interface MacRow {
  readonly mac: Mac;
  readonly owner: number;
  /** How many ticks ago a frame from it was seen. */
  readonly age: number;
}

/** The tables of a running datapath, in terms of what they mean. */
export class TableSet {
  readonly descriptors: Readonly<Record<TableName, number>>;
  #processors: number | undefined;

  /** Takes over descriptors, of new tables or of those that programs forward by already. */
  constructor(descriptors: Readonly<Record<TableName, number>>) {
    this.descriptors = descriptors;
  }

  /** @throws SystemError */
  static create(): TableSet {
    const made: [TableName, number][] = [];
    try {
      for (const name of tableNames) made.push([name, createMap(name, tables[name])]);
    } catch (error) {
      for (const [, descriptor] of made) closeDescriptor(descriptor);
      throw error;
    }
    const set = new TableSet(Object.fromEntries(made) as Record<TableName, number>);
    set.settings = { self: undefined, uplink: 0, handover: 0 };
    return set;
  }

  get settings(): SettingsEntry {
    const view = this.#read("settings", 0);
    const self = view.getUint32(settings.self, true);
    return {
      self: self === noSelf ? undefined : self,
      uplink: view.getUint32(settings.uplink, true),
      handover: view.getUint32(settings.handover, true),
    };
  }

  set settings({ self, uplink, handover }: SettingsEntry) {
    this.#write("settings", 0, (view) => {
      view.setUint32(settings.self, self ?? noSelf, true);
      view.setUint32(settings.uplink, uplink, true);
      view.setUint32(settings.handover, handover, true);
      view.setUint32(settings.layout, settings.layoutVersion, true);
    });
  }

  /** What the programs that wrote these tables meant by them. */
  get layoutVersion(): number {
    return this.#read("settings", 0).getUint32(settings.layout, true);
  }

  neighbour(shortId: number): NeighbourEntry | undefined {
    return neighbourEntry(this.#read("neighbours", shortId));
  }

  /** All of them, by short id. */
  neighbours(): Map<number, NeighbourEntry> {
    return this.#all("neighbours", neighbourEntry);
  }

  setNeighbour(shortId: number, entry: NeighbourEntry | undefined): void {
    this.#write("neighbours", shortId, (view) => {
      if (entry === undefined) return;
      view.setUint32(neighbour.present, 1, true);
      view.setUint32(neighbour.remote, entry.remote, true);
      view.setUint32(neighbour.local, entry.local, true);
      view.setUint32(neighbour.device, entry.device, true);
      view.setUint32(neighbour.lane, entry.lane, true);
      view.setUint32(neighbour.longest, entry.longest, true);
      view.setUint32(neighbour.slot, entry.slot, true);
    });
  }

  /** What came of a neighbour, in ticks; `undefined` when nothing ever did. */
  heardOf(shortId: number): { readonly ageTicks: number; readonly activity: number } | undefined {
    const view = this.#read("neighbours", shortId);
    const now = nowTicks();
    const ages = [neighbour.beatHeard, neighbour.frameHeard].flatMap((at) => {
      const heard = view.getUint32(at, true);
      return heard === 0 ? [] : [Math.max(0, (now - heard) | 0)];
    });
    if (ages.length === 0) return undefined;
    return { ageTicks: Math.min(...ages), activity: view.getUint32(neighbour.activity, true) };
  }

  /** All of them, by destination. */
  routes(): Map<number, RouteEntry> {
    return this.#all("routes", routeEntry);
  }

  setRoute(shortId: number, entry: RouteEntry | undefined): void {
    const view = this.#read("routes", shortId);
    view.setUint16(route.kind, entry === undefined ? routeKind.none : routeKind[entry.kind], true);
    view.setUint16(route.neighbour, entry?.kind === "tunnel" ? entry.neighbour : 0, true);
    this.#put("routes", shortId, view);
  }

  /** All that lead anywhere, by originator. */
  trees(): Map<number, readonly number[]> {
    const counts = this.#all("routes", (view) => view.getUint16(route.floods, true) || undefined);
    const trees = new Map<number, readonly number[]>();
    for (const [originator, count] of counts) {
      const view = this.#read("trees", originator);
      const hops = Array.from({ length: count }, (_, at) => view.getUint16(2 * at, true));
      trees.set(originator, hops);
    }
    return trees;
  }

  /** Of `hops` at most {@link floodMax} are taken. */
  setTree(originator: number, hops: readonly number[]): void {
    const taken = hops.slice(0, floodMax);
    const header = this.#read("routes", originator);
    // Whoever floods meanwhile finds a part of the old list or of the new one, never neither.
    if (taken.length < header.getUint16(route.floods, true)) this.#setFloods(originator, taken);
    this.#write("trees", originator, (view) => {
      for (const [at, hop] of taken.entries()) view.setUint16(2 * at, hop, true);
    });
    this.#setFloods(originator, taken);
  }

  #setFloods(originator: number, hops: readonly number[]): void {
    const view = this.#read("routes", originator);
    view.setUint16(route.floods, hops.length, true);
    this.#put("routes", originator, view);
  }

  /** Frames are taken from these outer sources and no others. */
  get sources(): readonly number[] {
    return this.#keys("sources").map((key) => new DataView(key.buffer).getUint32(0, true));
  }

  /** `slot`: where frames from there count; `undefined` to take none any more. */
  setSource(address: number, slot: number | undefined): void {
    const key = numberKey(address);
    if (slot === undefined) mapDelete(this.descriptors.sources, key);
    else mapUpdate(this.descriptors.sources, key, numberKey(slot));
  }

  setMac(address: Mac, owner: number, ageTicks = 0): void {
    const value = pinnedBytes(mac.bytes);
    const view = new DataView(value.buffer);
    view.setUint32(mac.owner, owner, true);
    view.setUint32(mac.seen, (nowTicks() - ageTicks) >>> 0, true);
    mapUpdate(this.descriptors.macs, macKey(address), value);
  }

  forgetMac(address: Mac): void {
    mapDelete(this.descriptors.macs, macKey(address));
  }

  macs(): MacRow[] {
    const now = nowTicks();
    const { keyBytes, valueBytes } = tables.macs;
    const keys = pinnedBytes(macBatch * keyBytes);
    const values = pinnedBytes(macBatch * valueBytes);
    const view = new DataView(values.buffer);
    const rows: MacRow[] = [];
    let from: Uint8Array<ArrayBuffer> | undefined;
    do {
      const batch = mapLookupBatch(this.descriptors.macs, from, keys, values, macBatch);
      for (let entry = 0; entry < batch.count; entry++) {
        const at = entry * valueBytes;
        const age = Math.max(0, (now - view.getUint32(at + mac.seen, true)) | 0);
        const owner = view.getUint32(at + mac.owner, true);
        rows.push({ mac: readMac(keys, entry * keyBytes), owner, age });
      }
      from = batch.next;
    } while (from !== undefined && rows.length < tables.macs.entriesMax);
    return rows;
  }

  get residents(): readonly Mac[] {
    return this.#keys("residents").map((key) => readMac(key, 0));
  }

  setResident(address: Mac, isOne: boolean): void {
    const key = macKey(address);
    if (isOne) mapUpdate(this.descriptors.residents, key, numberKey(1));
    else mapDelete(this.descriptors.residents, key);
  }

  /** The counters of all processors together. */
  counters(): Record<CounterName, number> {
    const sumAt = this.#sums("counters", 0);
    const sums = counterNames.map((name) => [name, sumAt(counterAt(name))]);
    return Object.fromEntries(sums) as Record<CounterName, number>;
  }

  /** What counts in a slot, all processors together. */
  traffic(slot: number): LinkTraffic {
    const sumAt = this.#sums("traffic", slot);
    const { sent, received } = traffic;
    return {
      sentPackets: sumAt(sent.frames),
      sentBytes: sumAt(sent.octets),
      receivedPackets: sumAt(received.frames),
      receivedBytes: sumAt(received.octets),
    };
  }

  /** Adds up 64-bit numbers of all processors, by their place in an entry. */
  #sums(table: "counters" | "traffic", index: number): (at: number) => number {
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

  close(): void {
    for (const descriptor of Object.values(this.descriptors)) closeDescriptor(descriptor);
  }

  /** What there is in an array, read at once. */
  #all<Entry>(
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

  #read(table: TableName, index: number): DataView<ArrayBuffer> {
    const value = pinnedBytes(tables[table].valueBytes);
    mapLookup(this.descriptors[table], numberKey(index), value);
    return new DataView(value.buffer);
  }

  #write(table: TableName, index: number, fill: (view: DataView) => void): void {
    const view = new DataView(pinnedBytes(tables[table].valueBytes).buffer);
    fill(view);
    this.#put(table, index, view);
  }

  #put(table: TableName, index: number, view: DataView<ArrayBuffer>): void {
    mapUpdate(this.descriptors[table], numberKey(index), new Uint8Array(view.buffer));
  }

  /** Every key once; of a table that changes meanwhile, at most as many as it can hold. */
  #keys(table: TableName): Uint8Array<ArrayBuffer>[] {
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
}

export const tableNames = Object.keys(tables) as readonly TableName[];

function neighbourEntry(view: DataView): NeighbourEntry | undefined {
  if (view.getUint32(neighbour.present, true) === 0) return undefined;
  return {
    remote: view.getUint32(neighbour.remote, true),
    local: view.getUint32(neighbour.local, true),
    device: view.getUint32(neighbour.device, true),
    lane: view.getUint32(neighbour.lane, true),
    longest: view.getUint32(neighbour.longest, true),
    slot: view.getUint32(neighbour.slot, true),
  };
}

function routeEntry(view: DataView): RouteEntry | undefined {
  switch (view.getUint16(route.kind, true)) {
    case routeKind.tunnel:
      return { kind: "tunnel", neighbour: view.getUint16(route.neighbour, true) };
    case routeKind.sleeve:
      return { kind: "sleeve" };
    default:
      return undefined;
  }
}

function numberKey(value: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(pinnedBytes(4).buffer);
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}

function macKey(address: Mac): Uint8Array<ArrayBuffer> {
  const key = pinnedBytes(8);
  writeMac(key, 0, address);
  return key;
}

function nowTicks(): number {
  return Number((kernelClockNs() >> BigInt(tickShift)) & 0xffff_ffffn);
}

/** How many rows a table with one for every processor has: of all that might be there. */
function processors(): number {
  const text = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
  return Number(/(\d+)$/.exec(text)?.[1] ?? 0) + 1;
}
