import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import type { PeerLink, PeerRecord } from "../../lib/mesh/peer-record.ts";

/** A peer as the vector files write it. */
export interface VectorPeer {
  readonly name: string;
  readonly nickName: string;
  readonly uid: string;
  readonly version: string;
  /** `random` where the original drew one. */
  readonly shortID: number | string;
  readonly hasShortID: boolean;
  readonly connections: ReadonlyArray<{
    readonly name: string;
    readonly remoteTCPAddr: string;
    readonly outbound: boolean;
    readonly established: boolean;
  }>;
}

export function recordOf(peer: VectorPeer): PeerRecord {
  return {
    name: parsePeerName(peer.name),
    nickname: peer.nickName,
    uid: BigInt(peer.uid),
    version: BigInt(peer.version),
    shortId: peer.hasShortID ? Number(peer.shortID) : undefined,
    links: new Map(
      peer.connections.map((link) => [
        parsePeerName(link.name),
        { address: link.remoteTCPAddr, outbound: link.outbound, established: link.established },
      ]),
    ),
  };
}

/** The `n`th name of a test: `0n:00:00:0n:00:00`, as in the vector files. */
export function nameOf(n: number): PeerName {
  return (n * 2 ** 40 + n * 2 ** 16) as PeerName;
}

export interface SketchedPeer {
  readonly n: number;
  readonly uid?: bigint;
  readonly version?: bigint;
  readonly shortId?: number;
  readonly links?: ReadonlyArray<readonly [number, Partial<PeerLink>?]>;
}

/** A record in few words; links are outbound and established unless said otherwise. */
export function sketch(peer: SketchedPeer): PeerRecord {
  return {
    name: nameOf(peer.n),
    nickname: `host${peer.n}`,
    uid: peer.uid ?? BigInt(peer.n) * 100n,
    version: peer.version ?? 1n,
    shortId: peer.shortId ?? peer.n,
    links: new Map(
      (peer.links ?? []).map(([to, link]) => [
        nameOf(to),
        { address: `10.0.0.${to}:6783`, outbound: true, established: true, ...link },
      ]),
    ),
  };
}
