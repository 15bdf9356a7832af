import type { Cancel } from "../base/world.ts";

/**
 * Part of its limit up to which a peer dials others that it heard of, in a cluster that is larger
 * than the limit. So many links make a graph that hardly anything can part; the rest is for those
 * who come: were every peer full, a newcomer would find none to take it in.
 */
const dialledPart = 2 / 3;

/**
 * The connections that are allowed, and those of them that are taken or soon will be: an attempt of
 * ours has its place from the moment it is dialled, for the remote counts on it as soon as it has
 * read who we are.
 *
 *   ├─ connections ─┼─ attempts of ours ─┼─ free ─┤ max
 */
export class ConnectionRoom {
  /** Connections allowed; infinite for any number. */
  readonly max: number;
  readonly #connections: () => number;
  /** The hosts that our attempts lead to. */
  readonly #attempts = new Map<object, string>();

  /** `limit`: 0 for any number of connections; `connections`: how many there are. */
  constructor(limit: number, connections: () => number) {
    this.max = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    this.#connections = connections;
  }

  /** Connections that there are. */
  get connections(): number {
    return this.#connections();
  }

  /** How many connections a peer of `others` known peers brings about by discovery. */
  share(others: number): number {
    return others <= this.max ? this.max : Math.ceil(dialledPart * this.max);
  }

  /** Keeps a place for an attempt to reach `host` until it is a connection, or over. */
  reserve(host: string): Cancel {
    const attempt = {};
    this.#attempts.set(attempt, host);
    return () => this.#attempts.delete(attempt);
  }

  /** Places left of `max`. */
  free(max = this.max): number {
    return Math.max(0, max - this.connections - this.#attempts.size);
  }

  /** Places left for one who comes from `host`; an attempt of ours to get there is for the same. */
  freeFor(host: string): number {
    let elsewhere = 0;
    for (const other of this.#attempts.values()) if (other !== host) elsewhere++;
    return Math.max(0, this.max - this.connections - elsewhere);
  }
}
