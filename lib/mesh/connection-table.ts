import { WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";

/** What decides between two connections to one peer. */
export interface TableEntry {
  /** The peer at the other end, and which incarnation of it. */
  readonly name: PeerName;
  readonly peerUid: bigint;
  /** Of the connection: the same 64-bit number at both ends. */
  readonly uid: bigint;
}

/** What becomes of a candidate, and of the connection that it competes with. */
export interface Verdict<T> {
  /** Why the candidate is refused; missing when it is admitted. */
  readonly refused?: WeaveError;
  /** A registered connection that has to close, and why. */
  readonly closes?: { readonly entry: T; readonly error: WeaveError };
}

/**
 * The connections that our record claims: one for each neighbour (mesh-protocol §7.2).
 *
 * Both ends judge crossing connections by the same numbers and reach the same verdict: the lower
 * connection uid survives. A neighbour with a new peer uid has restarted and cannot hold on to the
 * old connection, which is dead whatever its uid.
 */
export class ConnectionTable<T extends TableEntry> implements Iterable<T> {
  readonly #entries = new Map<PeerName, T>();
  readonly #entriesMax: number;

  /** `limit` is the number of connections allowed; 0 for any. */
  constructor(limit: number) {
    this.#entriesMax = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get full(): boolean {
    return this.#entries.size >= this.#entriesMax;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#entries.values();
  }

  get(name: PeerName): T | undefined {
    return this.#entries.get(name);
  }

  judge(candidate: T): Verdict<T> {
    const entry = this.#entries.get(candidate.name);
    if (entry === undefined) return this.full ? { refused: limitReached(this.#entriesMax) } : {};
    if (entry.peerUid !== candidate.peerUid) return { closes: { entry, error: restarted(entry) } };
    const error = duplicate(entry);
    if (entry.uid === candidate.uid) return { refused: error, closes: { entry, error } };
    return entry.uid < candidate.uid ? { refused: error } : { closes: { entry, error } };
  }

  /** Registers an admitted connection whose competitor is gone. */
  add(entry: T): void {
    this.#entries.set(entry.name, entry);
  }

  /** False when `entry` was not the registered one. */
  remove(entry: T): boolean {
    return this.#entries.get(entry.name) === entry && this.#entries.delete(entry.name);
  }
}

/** Whether a connection ended because there is another one to the same peer. */
export function gaveWay(error: WeaveError): boolean {
  return error.code === duplicateCode || error.code === restartedCode;
}

const duplicateCode = "DUPLICATE";
const restartedCode = "PEER_RESTARTED";

export const limitReachedCode = "CONNECTION_LIMIT";

export function limitReached(limit: number): WeaveError {
  return new WeaveError(limitReachedCode, `Connection limit reached (${limit})`, {
    remedy: "raise --conn-limit if this peer is meant to have more neighbours",
  });
}

function duplicate(entry: TableEntry): WeaveError {
  const name = formatPeerName(entry.name);
  return new WeaveError(duplicateCode, `Multiple connections to ${name}: one of them is enough`);
}

function restarted(entry: TableEntry): WeaveError {
  const name = formatPeerName(entry.name);
  return new WeaveError(restartedCode, `peer ${name} restarted: this connection is dead`);
}
