import { kernelClockNs } from "../../../../ffi/kernel-clock.ts";
import { pinnedBytes } from "../../../../ffi/memory.ts";
import type { LinkTraffic } from "../../../base/overlay.ts";
import { type Mac, readMac, writeMac } from "../../../wire/ethernet.ts";
import { KernelTables, numberKey } from "./kernel-tables.ts";
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
  type TableName,
  tickShift,
  traffic,
} from "./tables.ts";

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
  readonly #kernel: KernelTables;

  /** Takes over descriptors, of new tables or of those that programs forward by already. */
  constructor(descriptors: Readonly<Record<TableName, number>>) {
    this.#kernel = new KernelTables(descriptors);
  }

  /** @throws SystemError */
  static create(): TableSet {
    const set = new TableSet(KernelTables.create().descriptors);
    set.settings = { self: undefined, uplink: 0, handover: 0 };
    return set;
  }

  get descriptors(): Readonly<Record<TableName, number>> {
    return this.#kernel.descriptors;
  }

  close(): void {
    this.#kernel.close();
  }

  get settings(): SettingsEntry {
    const view = this.#kernel.read("settings", 0);
    const self = view.getUint32(settings.self, true);
    return {
      self: self === noSelf ? undefined : self,
      uplink: view.getUint32(settings.uplink, true),
      handover: view.getUint32(settings.handover, true),
    };
  }

  set settings({ self, uplink, handover }: SettingsEntry) {
    this.#kernel.write("settings", 0, (view) => {
      view.setUint32(settings.self, self ?? noSelf, true);
      view.setUint32(settings.uplink, uplink, true);
      view.setUint32(settings.handover, handover, true);
      view.setUint32(settings.layout, settings.layoutVersion, true);
    });
  }

  /** What the programs that wrote these tables meant by them. */
  get layoutVersion(): number {
    return this.#kernel.read("settings", 0).getUint32(settings.layout, true);
  }

  neighbour(shortId: number): NeighbourEntry | undefined {
    return neighbourEntry(this.#kernel.read("neighbours", shortId));
  }

  /** All of them, by short id. */
  neighbours(): Map<number, NeighbourEntry> {
    return this.#kernel.all("neighbours", neighbourEntry);
  }

  setNeighbour(shortId: number, entry: NeighbourEntry | undefined): void {
    this.#kernel.write("neighbours", shortId, (view) => {
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
    const view = this.#kernel.read("neighbours", shortId);
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
    return this.#kernel.all("routes", routeEntry);
  }

  setRoute(shortId: number, entry: RouteEntry | undefined): void {
    const view = this.#kernel.read("routes", shortId);
    view.setUint16(route.kind, entry === undefined ? routeKind.none : routeKind[entry.kind], true);
    view.setUint16(route.neighbour, entry?.kind === "tunnel" ? entry.neighbour : 0, true);
    this.#kernel.put("routes", shortId, view);
  }

  /** All that lead anywhere, by originator. */
  trees(): Map<number, readonly number[]> {
    const counts = this.#kernel.all(
      "routes",
      (view) => view.getUint16(route.floods, true) || undefined,
    );
    const trees = new Map<number, readonly number[]>();
    for (const [originator, count] of counts) {
      const view = this.#kernel.read("trees", originator);
      const hops = Array.from({ length: count }, (_, at) => view.getUint16(2 * at, true));
      trees.set(originator, hops);
    }
    return trees;
  }

  /** Of `hops` at most {@link floodMax} are taken. */
  setTree(originator: number, hops: readonly number[]): void {
    const taken = hops.slice(0, floodMax);
    const header = this.#kernel.read("routes", originator);
    // Whoever floods meanwhile finds a part of the old list or of the new one, never neither.
    if (taken.length < header.getUint16(route.floods, true)) this.#setFloods(originator, taken);
    this.#kernel.write("trees", originator, (view) => {
      for (const [at, hop] of taken.entries()) view.setUint16(2 * at, hop, true);
    });
    this.#setFloods(originator, taken);
  }

  #setFloods(originator: number, hops: readonly number[]): void {
    const view = this.#kernel.read("routes", originator);
    view.setUint16(route.floods, hops.length, true);
    this.#kernel.put("routes", originator, view);
  }

  /** Frames are taken from these outer sources and no others. */
  get sources(): readonly number[] {
    return this.#kernel.keys("sources").map((key) => new DataView(key.buffer).getUint32(0, true));
  }

  /** `slot`: where frames from there count; `undefined` to take none any more. */
  setSource(address: number, slot: number | undefined): void {
    const key = numberKey(address);
    if (slot === undefined) this.#kernel.delete("sources", key);
    else this.#kernel.insert("sources", key, numberKey(slot));
  }

  setMac(address: Mac, owner: number, ageTicks = 0): void {
    const value = pinnedBytes(mac.bytes);
    const view = new DataView(value.buffer);
    view.setUint32(mac.owner, owner, true);
    view.setUint32(mac.seen, (nowTicks() - ageTicks) >>> 0, true);
    this.#kernel.insert("macs", macKey(address), value);
  }

  forgetMac(address: Mac): void {
    this.#kernel.delete("macs", macKey(address));
  }

  macs(): MacRow[] {
    const now = nowTicks();
    const found: MacRow[] = [];
    for (const { key, value } of this.#kernel.rows("macs")) {
      const age = Math.max(0, (now - value.getUint32(mac.seen, true)) | 0);
      found.push({ mac: readMac(key, 0), owner: value.getUint32(mac.owner, true), age });
    }
    return found;
  }

  get residents(): readonly Mac[] {
    return this.#kernel.keys("residents").map((key) => readMac(key, 0));
  }

  setResident(address: Mac, isOne: boolean): void {
    const key = macKey(address);
    if (isOne) this.#kernel.insert("residents", key, numberKey(1));
    else this.#kernel.delete("residents", key);
  }

  /** The counters of all processors together. */
  counters(): Record<CounterName, number> {
    const sumAt = this.#kernel.sums("counters", 0);
    const sums = counterNames.map((name) => [name, sumAt(counterAt(name))]);
    return Object.fromEntries(sums) as Record<CounterName, number>;
  }

  /** What counts in a slot, all processors together. */
  traffic(slot: number): LinkTraffic {
    const sumAt = this.#kernel.sums("traffic", slot);
    const { sent, received } = traffic;
    return {
      sentPackets: sumAt(sent.frames),
      sentBytes: sumAt(sent.octets),
      receivedPackets: sumAt(received.frames),
      receivedBytes: sumAt(received.octets),
    };
  }
}

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

function macKey(address: Mac): Uint8Array<ArrayBuffer> {
  const key = pinnedBytes(8);
  writeMac(key, 0, address);
  return key;
}

function nowTicks(): number {
  return Number((kernelClockNs() >> BigInt(tickShift)) & 0xffff_ffffn);
}
