import { sha256 } from "@noble/hashes/sha2.js";
import { emptyBytes, equalBytes, readUint64, writeUint64 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";
import type { GossipData, StateComparison } from "../base/gossip.ts";
import { type PeerName, peerNameBytes, peerNameSize, readPeerName } from "../base/peer-name.ts";
import { type Edition, type PeerRecord, supersedes } from "./peer-record.ts";
import { type Peers, peersMax } from "./peers.ts";

/**
 * How two neighbours compare their topologies without sending them (docs/protocol.md). What each has
 * is a list of its records in ascending order of names, placeholders left out:
 *
 *   ┌──────┬─────────┬─────┬────────────────────┐
 *   │ name │ version │ uid │ 1: with a short id │   23 octets each, big-endian
 *   │  6   │    8    │  8  │ 1                  │
 *   └──────┴─────────┴─────┴────────────────────┘
 *
 * Whatever else a record says belongs to its version. The digest is the beginning of the SHA-256 of
 * the list; the inquiry is the list itself.
 */
const entryBytes = peerNameSize + 8 + 8 + 1;

/** Enough that no two different lists meet by chance. */
const digestBytes = 16;

/** Everything known at one moment. */
interface Listed {
  readonly generation: number;
  readonly list: Uint8Array;
  digest?: Uint8Array;
}

export class TopologyComparison implements StateComparison {
  readonly #peers: Peers;
  readonly #select: (names: ReadonlySet<PeerName>) => GossipData | undefined;
  #listed: Listed = { generation: -1, list: emptyBytes };

  /** `select` makes gossip of the records of some peers. */
  constructor(peers: Peers, select: (names: ReadonlySet<PeerName>) => GossipData | undefined) {
    this.#peers = peers;
    this.#select = select;
  }

  digest(): Uint8Array {
    const listed = this.#list();
    listed.digest ??= sha256(listed.list).subarray(0, digestBytes);
    return listed.digest;
  }

  inquire(_from: PeerName, digest: Uint8Array): Uint8Array | undefined {
    return equalBytes(digest, this.digest()) ? undefined : this.#list().list;
  }

  /** @throws WeaveError `TOPOLOGY_INQUIRY` */
  answer(inquiry: Uint8Array): GossipData | undefined {
    const theirs = readList(inquiry);
    const missing = new Set<PeerName>();
    for (const record of this.#peers.records()) {
      const known = theirs.get(record.name);
      if (known === undefined ? !isPlaceholder(record) : supersedes(record, known)) {
        missing.add(record.name);
      }
    }
    return this.#select(missing);
  }

  #list(): Listed {
    const { generation } = this.#peers;
    if (this.#listed.generation !== generation) {
      this.#listed = { generation, list: writeList(this.#peers.records()) };
    }
    return this.#listed;
  }
}

function isPlaceholder({ version, uid }: PeerRecord): boolean {
  return version === 0n && uid === 0n;
}

/** `records` in ascending order of names. */
function writeList(records: readonly PeerRecord[]): Uint8Array {
  const listed = records.filter((record) => !isPlaceholder(record));
  const list = new Uint8Array(listed.length * entryBytes);
  for (const [index, { name, version, uid, shortId }] of listed.entries()) {
    const at = index * entryBytes;
    list.set(peerNameBytes(name), at);
    writeUint64(list, at + peerNameSize, version);
    writeUint64(list, at + peerNameSize + 8, uid);
    list[at + entryBytes - 1] = shortId === undefined ? 0 : 1;
  }
  return list;
}

function readList(list: Uint8Array): Map<PeerName, Edition> {
  if (list.length % entryBytes !== 0 || list.length > peersMax * entryBytes) {
    const text = `${list.length} octets are no list of records`;
    throw new WeaveError("TOPOLOGY_INQUIRY", text);
  }
  const editions = new Map<PeerName, Edition>();
  for (let at = 0; at < list.length; at += entryBytes) {
    const name = readPeerName(list.subarray(at, at + peerNameSize));
    editions.set(name, {
      version: readUint64(list, at + peerNameSize),
      uid: readUint64(list, at + peerNameSize + 8),
      // Which one it is makes no difference to which record is newer.
      shortId: list[at + entryBytes - 1] === 0 ? undefined : 0,
    });
  }
  return editions;
}
