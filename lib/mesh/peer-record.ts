import type { PeerName } from "../base/peer-name.ts";

/**
 * What one peer says of itself (mesh-protocol §8): its identity and the links it claims. Records
 * are values: a change makes a new record with a higher version, and the newest one wins.
 */
export interface PeerRecord {
  readonly name: PeerName;
  /** For display only. */
  readonly nickname: string;
  /** Tells incarnations of a name apart; 0 in a placeholder. 64 bits. */
  readonly uid: bigint;
  /** Starts at 0 and grows with each change. 64 bits. */
  readonly version: bigint;
  /** Sixteen bits on the wire, 0–4095 in practice; `undefined` when the peer announces none. */
  readonly shortId: number | undefined;
  /** Claimed links by remote name. */
  readonly links: ReadonlyMap<PeerName, PeerLink>;
}

/** A TCP connection as the owner of the record sees it. */
export interface PeerLink {
  /** `ip:port` of the remote end; for an outbound link others may dial it. */
  readonly address: string;
  /** Whether the owner of the record dialled. */
  readonly outbound: boolean;
  /** Whether the owner's overlay works over this link. */
  readonly established: boolean;
}

const noLinks: ReadonlyMap<PeerName, PeerLink> = new Map();

/** A peer known only because another one claims a link to it. */
export function placeholder(name: PeerName): PeerRecord {
  return { name, nickname: "", uid: 0n, version: 0n, shortId: undefined, links: noLinks };
}

/** The beginning of a record: what the introduction says, no links, version 0. */
export function newRecord(identity: Omit<PeerRecord, "version" | "links">): PeerRecord {
  return { ...identity, version: 0n, links: noLinks };
}

/** What tells the newer of two records of one peer. */
export type Edition = Pick<PeerRecord, "version" | "uid" | "shortId">;

/** Whether `news` replaces `known`, which is another peer's record (mesh-protocol §8.3). */
export function supersedes(news: Edition, known: Edition): boolean {
  if (news.version !== known.version) return news.version > known.version;
  if (news.uid !== known.uid) return news.uid > known.uid;
  return news.shortId !== undefined && known.shortId === undefined;
}
