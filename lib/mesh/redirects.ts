import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { PeerRecord } from "./peer-record.ts";

/** Peers whose redirects are kept; of the earliest nothing is. */
const redirectsMax = 16;

/**
 * Where peers sent us that had no room for us, until we know of those peers by another way: then
 * discovery shows us all that they do, and more.
 */
export class Redirects {
  readonly #byPeer = new Map<PeerName, readonly Endpoint[]>();

  /** `elsewhere`: what `remote` said last, in place of what it said before. */
  add(remote: PeerName, elsewhere: readonly Endpoint[]): void {
    this.#byPeer.delete(remote);
    this.#byPeer.set(remote, elsewhere);
    for (const earliest of this.#byPeer.keys()) {
      if (this.#byPeer.size <= redirectsMax) return;
      this.#byPeer.delete(earliest);
    }
  }

  /** What the peers of `records` said is not needed any more. */
  forget(records: readonly PeerRecord[]): void {
    if (this.#byPeer.size === 0) return;
    for (const { name } of records) this.#byPeer.delete(name);
  }

  endpoints(): Endpoint[] {
    return [...this.#byPeer.values()].flat();
  }

  has(address: string): boolean {
    return this.endpoints().some((endpoint) => formatEndpoint(endpoint) === address);
  }
}
