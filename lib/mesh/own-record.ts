import { assert } from "../base/errors.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Random } from "../base/random.ts";
import type { PeerLink, PeerRecord } from "./peer-record.ts";
import { type Peers, versionMax } from "./peers.ts";
import { shortIdsMax } from "./short-ids.ts";

/**
 * Our own record and the only hand that changes it: each change is a new version (§2.2, §8).
 *
 * A short id is drawn when the cluster's ids are known, so that a newcomer does not take one that
 * is in use, and a restarted peer takes the one it had: nobody's flows change their meaning.
 */
export class OwnRecord {
  readonly #peers: Peers;
  readonly #random: Random;

  constructor(peers: Peers, random: Random) {
    this.#peers = peers;
    this.#random = random;
  }

  get record(): PeerRecord {
    return this.#peers.own;
  }

  addLink(remote: PeerName, link: PeerLink): void {
    this.#change({ links: new Map(this.record.links).set(remote, link) });
  }

  /** The overlay works over the link to `remote`. */
  establish(remote: PeerName): void {
    const link = this.record.links.get(remote);
    if (link !== undefined) this.addLink(remote, { ...link, established: true });
  }

  removeLink(remote: PeerName): void {
    const links = new Map(this.record.links);
    if (links.delete(remote)) this.#change({ links });
  }

  /**
   * A record of our former incarnation is about, and nobody listens to us until our version is
   * beyond its. True when ours had to change.
   */
  jumpPast(former: PeerRecord): boolean {
    if (former.version < this.record.version) return false;
    this.#change({ version: former.version });
    return true;
  }

  /**
   * Makes sure that we have a short id nobody else owns; `preferred` is taken if it is free. True
   * when ours changed. When none is free we keep what we have and try again after a collection.
   */
  settleShortId(preferred?: number): boolean {
    const { shortId, name } = this.record;
    const { shortIds } = this.#peers;
    if (shortId !== undefined && shortIds.ownerOf(shortId) === name) return false;
    const free = this.#isFree(preferred) ? preferred : shortIds.drawFree(this.#random);
    if (free === undefined) return false;
    this.#change({ shortId: free });
    return true;
  }

  #isFree(id: number | undefined): id is number {
    if (id === undefined || id >= shortIdsMax) return false;
    const owner = this.#peers.shortIds.ownerOf(id);
    return owner === undefined || owner === this.record.name;
  }

  #change(change: Partial<Pick<PeerRecord, "links" | "shortId" | "version">>): void {
    const changed = { ...this.record, ...change };
    // Room beyond the limit for others' records: 2^32 changes of our own.
    assert(changed.version < versionMax + 2n ** 32n - 1n, "own version would wrap");
    this.#peers.setOwn({ ...changed, version: changed.version + 1n });
  }
}
