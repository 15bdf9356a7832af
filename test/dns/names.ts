import type { Channel, GossipData } from "../../lib/base/gossip.ts";
import { formatIpv4, type IpAddress, parseIp, parseIpv4 } from "../../lib/base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { silentLog, type World } from "../../lib/base/world.ts";
import { type Entry, makeEntry } from "../../lib/dns/entry.ts";
import { EntryStore } from "../../lib/dns/entry-store.ts";
import { decodeNames, encodeNames } from "../../lib/dns/name-codec.ts";
import { NameTable, type NameTableOptions } from "../../lib/dns/name-table.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";

/** An entry as the vector files write it. */
export interface VectorEntry {
  readonly Addr: string;
  readonly ContainerID: string;
  readonly Hostname: string;
  readonly Origin: string;
  readonly Tombstone: number;
  readonly Version: number;
}

export interface VectorMessage {
  readonly Entries: readonly VectorEntry[] | null;
  readonly Timestamp: number;
  readonly hex: string;
}

export function fromVector(entry: VectorEntry): Entry {
  return makeEntry({
    containerId: entry.ContainerID,
    origin: parsePeerName(entry.Origin),
    address: parseIpv4(entry.Addr),
    hostname: entry.Hostname,
    version: entry.Version,
    tombstone: entry.Tombstone,
  });
}

export function toVector(entry: Entry): VectorEntry {
  return {
    Addr: formatIpv4(entry.address),
    ContainerID: entry.containerId,
    Hostname: entry.hostname,
    Origin: formatPeerName(entry.origin),
    Tombstone: entry.tombstone,
    Version: entry.version,
  };
}

/** What `data` would put on the wire, which is always one message here. */
export function said(data: GossipData | undefined): { entries: Entry[]; timestampS: number } {
  const payloads = data?.encode() ?? encodeNames([], 0);
  if (payloads.length !== 1) throw new Error(`${payloads.length} messages`);
  const { entries, timestampS } = decodeNames(payloads[0]!);
  return { entries: [...entries], timestampS };
}

export const ownName = parsePeerName("01:00:00:00:00:01");
export const otherName = parsePeerName("02:00:00:00:00:02");
export const ip = (text: string): IpAddress => parseIp(text);

/** A table on a clock that stands at `nowS` (Unix seconds) until it is moved. */
export class TableBench implements Channel {
  readonly table: NameTable;
  readonly self: PeerName;
  readonly broadcasts: GossipData[] = [];
  /** Peers that the mesh does not know; everyone else it does. */
  readonly strangers = new Set<PeerName>();
  readonly clock = new VirtualClock();
  readonly warnings: string[] = [];
  readonly world: World;
  nowS: number;

  /** `planted` is in the table from the beginning. */
  constructor(
    nowS = 1_700_000_000,
    planted: readonly Entry[] = [],
    options: Partial<NameTableOptions> = {},
  ) {
    this.nowS = nowS;
    const store = new EntryStore();
    for (const entry of planted) store.put(entry);
    this.world = {
      now: () => this.nowS * 1000 + this.clock.nowMs,
      monotonicMs: () => this.clock.nowMs,
      after: (delayMs, action) => this.clock.after(delayMs, action),
      random: seededRandom(1),
      log: { ...silentLog, warn: (line) => void this.warnings.push(line) },
    };
    this.self = options.self ?? ownName;
    const defaults = {
      self: ownName,
      domain: "weave.local",
      isKnownPeer: (peer: PeerName) => !this.strangers.has(peer),
    };
    this.table = new NameTable(this.world, { ...defaults, ...options }, store);
    this.table.setChannel(this);
  }

  unicast(): boolean {
    throw new Error("the channel has no unicasts");
  }

  broadcast(data: GossipData): void {
    this.broadcasts.push(data);
  }

  /** What was broadcast since the last call. */
  takeBroadcasts(): Array<{ entries: Entry[]; timestampS: number }> {
    return this.broadcasts.splice(0).map(said);
  }

  /** Hears of `entries` by gossip. */
  hear(...entries: readonly Entry[]): void {
    for (const payload of encodeNames(entries, this.nowS)) this.table.onGossip(otherName, payload);
  }

  state(): VectorEntry[] {
    return this.table.entries().map(toVector);
  }
}
