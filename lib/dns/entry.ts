import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { foldName } from "../wire/dns-name.ts";

/**
 * One name of one container at one address, as all peers hold it (dns §2).
 *
 *   unknown ──add──▶ live, version 0 ──delete──▶ dead, version 1 ──add──▶ live, version 2 ─▶ …
 *
 * Origin, container, address and the hostname with its letter case identify an entry; version and
 * tombstone are its state. Entries are immutable: a change replaces the object, so that gossip
 * waiting to be sent keeps what it was made of.
 */
export interface Entry {
  /** Full container id, `weave:expose` or `weave:extern`. */
  readonly containerId: string;
  /** The peer that registered the name, which alone may change it. */
  readonly origin: PeerName;
  readonly address: Ipv4;
  /** With a final dot, letter case as given. */
  readonly hostname: string;
  /** 0 at first; one more for each deletion and each revival. */
  readonly version: number;
  /** 0 while live, else Unix seconds of the deletion. */
  readonly tombstone: number;
  /** {@link hostname} for comparison: never sent. */
  readonly folded: string;
}

export function makeEntry(entry: Omit<Entry, "folded">): Entry {
  return { ...entry, folded: foldName(entry.hostname) };
}

/** The same identity in another state. */
export function withState(entry: Entry, version: number, tombstone: number): Entry {
  return { ...entry, version, tombstone };
}

/** Equal for entries of the same identity, different otherwise. */
export function identityOf(entry: Entry): string {
  return `${entry.origin} ${entry.address} ${entry.containerId} ${entry.hostname}`;
}

/** Equal for entries whose identity differs in nothing but the letter case of the hostname. */
export function twinKeyOf(entry: Entry): string {
  return `${entry.origin} ${entry.address} ${entry.containerId} ${entry.folded}`;
}

/** Age at which tombstones go, and how often that is looked at: they live 30 to 60 minutes. */
export const tombstoneAgeMaxS = 1800;

/**
 * Whether an entry has been dead for so long that nobody needs to know, or since a time so far ahead
 * that a clock was wrong when it died.
 */
export function isOver({ tombstone }: Entry, nowS: number): boolean {
  return tombstone !== 0 && Math.abs(nowS - tombstone) > tombstoneAgeMaxS;
}

/** Whether `a` is the later state of an entry whose other known state is `b`. */
export function supersedes(a: Entry, b: Entry): boolean {
  return a.version > b.version || (a.version === b.version && a.tombstone > b.tombstone);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byOwner(a: Entry, b: Entry): number {
  return a.origin - b.origin || byText(a.containerId, b.containerId) || a.address - b.address;
}

/** Order of the table and of status (dns §2): the first match answers a reverse lookup. */
export function inTableOrder(a: Entry, b: Entry): number {
  return byText(a.folded, b.folded) || byOwner(a, b) || byText(a.hostname, b.hostname);
}

/** Order on the wire (dns §3): upper case before lower case. */
export function inWireOrder(a: Entry, b: Entry): number {
  return byText(a.hostname, b.hostname) || byOwner(a, b);
}

/**
 * Leaves one of each set of letter-case twins. Two in one message multiply without bound in
 * original peers (dns §3), and either gives the same answers, so the live one is announced, else
 * the one that died last.
 */
export function foldTwins(entries: Iterable<Entry>): Entry[] {
  const kept = new Map<string, Entry>();
  for (const entry of entries) {
    const key = twinKeyOf(entry);
    const twin = kept.get(key);
    if (twin === undefined || isPreferredTwin(entry, twin)) kept.set(key, entry);
  }
  return [...kept.values()];
}

function isPreferredTwin(entry: Entry, twin: Entry): boolean {
  if (entry.hostname === twin.hostname) return supersedes(entry, twin);
  if ((entry.tombstone === 0) !== (twin.tombstone === 0)) return entry.tombstone === 0;
  if (entry.tombstone !== twin.tombstone) return entry.tombstone > twin.tombstone;
  return entry.hostname < twin.hostname;
}
