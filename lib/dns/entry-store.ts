import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { parentOf } from "./domain.ts";
import { type Entry, identityOf, inTableOrder, twinKeyOf } from "./entry.ts";

/** More than any cluster has containers; beyond it new entries are refused, known ones updated. */
export const entriesMax = 1 << 18;

/** Names that live, and names above those; a name has a hundred of these at most, a real one three. */
export const namesMax = 2 * entriesMax;

/** Characters of all texts together; real entries have less than two hundred each. */
export const charactersMax = 1 << 27;

/** What lookups need of one folded name. */
interface NameNode {
  readonly live: Set<Entry>;
  /** Distinct addresses of {@link live}; made anew by the first lookup after a change. */
  addresses: readonly Ipv4[] | undefined;
  /** Live names anywhere below this one. */
  below: number;
}

/**
 * All entries with the indexes that keep every lookup, merge and removal independent of the size
 * of the table: by identity, by letter-case twin, by origin, and for live entries by name and by
 * address.
 */
export class EntryStore {
  readonly #byIdentity = new Map<string, Entry>();
  readonly #twins = new Map<string, Set<Entry>>();
  readonly #byOrigin = new Map<PeerName, Set<Entry>>();
  readonly #byName = new Map<string, NameNode>();
  readonly #byAddress = new Map<Ipv4, Set<Entry>>();
  #characters = 0;
  #changes = 0;

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#byIdentity.size;
  }

  get(entry: Entry): Entry | undefined {
    return this.#byIdentity.get(identityOf(entry));
  }

  /** An entry under another spelling of the same name; the live one if there is one. */
  twinOf(entry: Entry): Entry | undefined {
    let twin: Entry | undefined;
    for (const other of this.#twins.get(twinKeyOf(entry)) ?? []) {
      if (twin === undefined || other.tombstone === 0) twin = other;
    }
    return twin;
  }

  /** Stores `entry` in place of its earlier state. False when the table is full. */
  put(entry: Entry): boolean {
    const identity = identityOf(entry);
    const before = this.#byIdentity.get(identity);
    if (!this.#hasRoom(entry, before)) return false;
    if (before !== undefined) this.#unindex(before);
    else this.#characters += charactersOf(entry);
    this.#byIdentity.set(identity, entry);
    addTo(this.#twins, twinKeyOf(entry), entry);
    addTo(this.#byOrigin, entry.origin, entry);
    if (entry.tombstone === 0) this.#indexLive(entry);
    this.#changes++;
    return true;
  }

  #hasRoom(entry: Entry, before: Entry | undefined): boolean {
    const isNewName = entry.tombstone === 0 && !this.#byName.has(entry.folded);
    if (isNewName && this.#byName.size >= namesMax) return false;
    if (before !== undefined) return true;
    if (this.#characters + charactersOf(entry) > charactersMax) return false;
    return this.#byIdentity.size < entriesMax;
  }

  /** Forgets `entry`, which this store holds, without a trace. */
  erase(entry: Entry): void {
    this.#byIdentity.delete(identityOf(entry));
    this.#characters -= charactersOf(entry);
    this.#unindex(entry);
    this.#changes++;
  }

  all(): Iterable<Entry> {
    return this.#byIdentity.values();
  }

  ofOrigin(origin: PeerName): Iterable<Entry> {
    return this.#byOrigin.get(origin) ?? [];
  }

  /** Live entries under a folded name. */
  named(folded: string): Iterable<Entry> {
    return this.#byName.get(folded)?.live ?? [];
  }

  /** Distinct addresses under a folded name, in no particular order; empty when there is none. */
  addressesOf(folded: string): readonly Ipv4[] {
    const node = this.#byName.get(folded);
    if (node === undefined) return noAddresses;
    node.addresses ??= [...new Set([...node.live].map((entry) => entry.address))];
    return node.addresses;
  }

  /** Those of {@link addressesOf} that only `peers` registered. */
  addressesOnlyOf(folded: string, peers: ReadonlySet<PeerName>): ReadonlySet<Ipv4> {
    if (peers.size === 0) return nowhere;
    const theirs = new Set(this.addressesOf(folded));
    for (const { origin, address } of this.named(folded)) {
      if (!peers.has(origin)) theirs.delete(address);
    }
    return theirs;
  }

  /** Whether a live name lies below this folded name, which therefore exists (RFC 8020). */
  hasNamesBelow(folded: string): boolean {
    return (this.#byName.get(folded)?.below ?? 0) > 0;
  }

  /** The first live entry in table order with this address. */
  firstWithAddress(address: Ipv4): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#byAddress.get(address) ?? []) {
      if (first === undefined || inTableOrder(entry, first) < 0) first = entry;
    }
    return first;
  }

  #unindex(entry: Entry): void {
    removeFrom(this.#twins, twinKeyOf(entry), entry);
    removeFrom(this.#byOrigin, entry.origin, entry);
    if (entry.tombstone === 0) this.#unindexLive(entry);
  }

  #indexLive(entry: Entry): void {
    addTo(this.#byAddress, entry.address, entry);
    const node = this.#nodeOf(entry.folded);
    if (node.live.size === 0) {
      for (const above of namesAbove(entry.folded)) this.#nodeOf(above).below++;
    }
    node.live.add(entry);
    node.addresses = undefined;
  }

  #unindexLive(entry: Entry): void {
    removeFrom(this.#byAddress, entry.address, entry);
    const node = this.#nodeOf(entry.folded);
    node.live.delete(entry);
    node.addresses = undefined;
    if (node.live.size > 0) return;
    this.#dropIfUnused(entry.folded, node);
    for (const above of namesAbove(entry.folded)) {
      const nodeAbove = this.#nodeOf(above);
      nodeAbove.below--;
      this.#dropIfUnused(above, nodeAbove);
    }
  }

  #nodeOf(folded: string): NameNode {
    let node = this.#byName.get(folded);
    if (node === undefined) {
      node = { live: new Set(), addresses: undefined, below: 0 };
      this.#byName.set(folded, node);
    }
    return node;
  }

  #dropIfUnused(folded: string, node: NameNode): void {
    if (node.live.size === 0 && node.below === 0) this.#byName.delete(folded);
  }
}

function charactersOf({ containerId, hostname, folded }: Entry): number {
  return containerId.length + hostname.length + folded.length;
}

const noAddresses: readonly Ipv4[] = [];
const nowhere: ReadonlySet<Ipv4> = new Set();

/** A name has at most this many labels; gossiped text is cut there. */
const labelsMax = 128;

function* namesAbove(folded: string): Generator<string> {
  let name = parentOf(folded);
  for (let labels = 0; name !== undefined && labels < labelsMax; labels++) {
    yield name;
    name = parentOf(name);
  }
}

function addTo<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const held = index.get(key);
  if (held === undefined) index.set(key, new Set([entry]));
  else held.add(entry);
}

function removeFrom<K>(index: Map<K, Set<Entry>>, key: K, entry: Entry): void {
  const held = index.get(key);
  held?.delete(entry);
  if (held?.size === 0) index.delete(key);
}
