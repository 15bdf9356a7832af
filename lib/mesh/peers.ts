import { byPeerName, noPeer, type PeerName } from "../base/peer-name.ts";
import { type PeerRecord, placeholder, supersedes } from "./peer-record.ts";
import { ShortIds } from "./short-ids.ts";

/** More peers than any cluster has; names beyond are not taken in. */
export const peersMax = 16_384;

/**
 * Records beyond are refused: they leave their owner no room to grow, and a version is never
 * allowed to wrap. An honest peer needs centuries to get here.
 */
export const versionMax = 2n ** 64n - 2n ** 32n;

/** Reasons that are told of one update; how many more there are is told beside them. */
const refusalsMax = 8;

/** What a topology update brought (mesh-protocol §8.3). */
export interface AppliedUpdate {
  /** Every peer the update described: what a broadcast passes on. */
  readonly mentioned: ReadonlySet<PeerName>;
  /** Those whose record was taken: what gossip passes on. */
  readonly improved: ReadonlySet<PeerName>;
  /** The latest record under our name from before our last start. */
  readonly formerSelf: PeerRecord | undefined;
  /** Whether any record changed, placeholders included. */
  readonly changed: boolean;
  /** Why records were not taken although they are news; empty from honest peers. */
  readonly refusals: readonly string[];
}

/**
 * Everything known of the cluster: one record for each peer, our own among them. Every peer holds
 * all records and computes the same routes from them.
 *
 *   unknown ──claimed by another──▶ placeholder ──record arrives──▶ described
 *      └────introduced, or record arrives────────────────────────────▲  │
 *   unknown ◀──────collected: no longer reachable and not pinned────────┘
 */
export class Peers {
  readonly shortIds = new ShortIds();
  readonly #self: PeerName;
  readonly #records = new Map<PeerName, PeerRecord>();
  /** Connections that rely on a peer, also before our record claims them. */
  readonly #pins = new Map<PeerName, number>();
  #generation = 0;
  /** All records in ascending order of names, as of some generation. */
  #ordered: { readonly generation: number; readonly records: readonly PeerRecord[] } | undefined;

  constructor(own: PeerRecord) {
    this.#self = own.name;
    this.#store(own);
  }

  /** Grows with every change of any record. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#records.size;
  }

  get own(): PeerRecord {
    return this.#records.get(this.#self)!;
  }

  has(name: PeerName): boolean {
    return this.#records.has(name);
  }

  get(name: PeerName): PeerRecord | undefined {
    return this.#records.get(name);
  }

  /** All records in ascending order of names. */
  records(): readonly PeerRecord[] {
    if (this.#ordered?.generation !== this.#generation) {
      const records = [...this.#records.values()].sort((a, b) => byPeerName(a.name, b.name));
      this.#ordered = { generation: this.#generation, records };
    }
    return this.#ordered.records;
  }

  /** Replaces our own record. */
  setOwn(record: PeerRecord): void {
    this.#store(record);
  }

  /** Takes in a peer that introduced itself, unless it is known already. */
  introduce(record: PeerRecord): void {
    if (!this.#records.has(record.name)) this.#store(record);
  }

  /** Keeps `name` from being collected until {@link unpin} was called as often. */
  pin(name: PeerName): void {
    this.#pins.set(name, this.pins(name) + 1);
  }

  unpin(name: PeerName): void {
    const left = this.pins(name) - 1;
    if (left > 0) this.#pins.set(name, left);
    else this.#pins.delete(name);
  }

  pins(name: PeerName): number {
    return this.#pins.get(name) ?? 0;
  }

  /** Takes from `records` what is newer than what we have. */
  apply(records: readonly PeerRecord[]): AppliedUpdate {
    const mentioned = new Set<PeerName>();
    const improved = new Set<PeerName>();
    const refusals: string[] = [];
    const generationBefore = this.#generation;
    let formerSelf: PeerRecord | undefined;
    for (const record of records) {
      if (record.name === noPeer) continue;
      mentioned.add(record.name);
      if (record.version > versionMax) {
        refusals.push(`version ${record.version} of ${record.nickname} leaves no room to grow`);
      } else if (record.name === this.#self) {
        if (record.uid !== this.own.uid && record.version >= (formerSelf?.version ?? 0n)) {
          formerSelf = record;
        }
      } else if (this.#take(record)) {
        improved.add(record.name);
      }
    }
    for (const record of records) this.#addPlaceholders(record);
    if (this.size >= peersMax) refusals.push(`more than ${peersMax} peers`);
    const more = refusals.splice(refusalsMax).length;
    if (more > 0) refusals.push(`${more} more records of the same message`);
    const changed = this.#generation !== generationBefore;
    return { mentioned, improved, formerSelf, changed, refusals };
  }

  /** Peers that nothing leads to: no chain of claims from us, and no connection in hand. */
  unreachable(): PeerName[] {
    const reached = new Set<PeerName>([this.#self]);
    for (const name of reached) {
      // The set grows while it is walked: each peer adds those that it claims.
      for (const neighbour of this.#records.get(name)?.links.keys() ?? []) reached.add(neighbour);
    }
    return [...this.#records.keys()].filter((name) => !reached.has(name) && this.pins(name) === 0);
  }

  /** Forgets a peer that is {@link unreachable}. */
  remove(name: PeerName): void {
    const record = this.#records.get(name);
    if (record === undefined || name === this.#self) return;
    this.shortIds.remove(record.shortId, name);
    this.#records.delete(name);
    this.#generation++;
  }

  #take(news: PeerRecord): boolean {
    const known = this.#records.get(news.name);
    const take = known === undefined ? this.size < peersMax : supersedes(news, known);
    if (take) this.#store(news);
    return take;
  }

  /** Also for the claims of a record that was ignored: whoever it names exists. */
  #addPlaceholders(record: PeerRecord): void {
    for (const name of record.links.keys()) {
      if (name === noPeer || this.#records.has(name) || this.size >= peersMax) continue;
      this.#store(placeholder(name));
    }
  }

  #store(record: PeerRecord): void {
    const known = this.#records.get(record.name);
    this.#records.set(record.name, record);
    this.#generation++;
    if (known?.shortId === record.shortId) return;
    this.shortIds.remove(known?.shortId, record.name);
    this.shortIds.add(record.shortId, record.name);
  }
}
