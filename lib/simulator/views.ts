import type { PeerName } from "../base/peer-name.ts";
import { type AddressRange, overlaps } from "../ipam/range.ts";
import { entryRanges } from "../ipam/ring-entry.ts";
import { type SimCluster, simName } from "./cluster.ts";

/** Who owns what in the eyes of one peer. */
interface View {
  readonly viewer: PeerName;
  readonly ranges: readonly (AddressRange & { readonly owner: PeerName })[];
}

/**
 * What operators must look at before a disk is thrown away or a dead peer is taken over, and what no
 * peer can know: the views of all, those on the disks of peers that do not run included. What the
 * dead peer said and nobody has heard yet counts as well (`isUnderWay` of the network).
 *
 * Somebody whose disk is lost learns from others what it owns. Had it given some of that away, and
 * had those others not heard of it, it would use again what it gave away. No protocol without a
 * majority can prevent this, so it is a condition of the invariants and not one of them.
 */
export class Views {
  readonly #views: readonly View[];

  constructor(cluster: SimCluster, peers: number) {
    const views: View[] = [];
    for (let number = 1; number <= peers; number++) {
      const view = viewOf(cluster, number);
      if (view !== undefined) views.push({ viewer: simName(number), ranges: view });
    }
    this.#views = views;
  }

  /** Whether anybody has a ring. */
  get someRing(): boolean {
    return this.#views.some(({ ranges }) => ranges.length > 0);
  }

  /**
   * Whether somebody takes for the subject's what, as another one knows, belongs to somebody else.
   * That may be a third one which has not heard of it yet, so that all have a say.
   */
  isContested(subject: PeerName): boolean {
    const itsOwn = this.#views
      .filter(({ viewer }) => viewer !== subject)
      .flatMap(({ ranges }) => ranges.filter(({ owner }) => owner === subject));
    if (itsOwn.length === 0) return false;
    return this.#views.some(({ ranges }) =>
      ranges.some(
        (range) => range.owner !== subject && itsOwn.some((each) => overlaps(each, range)),
      ),
    );
  }

  /** Whether all agree with `viewer` on what belongs to the subject. */
  agreeOn(subject: PeerName, viewer: PeerName): boolean {
    const view = this.#views.find((each) => each.viewer === viewer);
    if (view === undefined) return false;
    const its = view.ranges.filter(({ owner }) => owner === subject);
    return this.#views.every(({ ranges }) =>
      ranges.every(
        (range) => (range.owner === subject) === its.some((each) => overlaps(each, range)),
      ),
    );
  }
}

function viewOf(cluster: SimCluster, number: number): View["ranges"] | undefined {
  const peer = cluster.peer(number);
  if (peer !== undefined) {
    const ranges = cluster.allocatorOf(peer).status().ranges ?? [];
    return ranges.map(({ token, size, peer: owner }) => ({
      start: token,
      end: token + size,
      owner,
    }));
  }
  return viewOnDisk(cluster, number);
}

/** In the eyes of peer `number` when it starts again; `undefined` if it has forgotten all. */
export function viewOnDisk(cluster: SimCluster, number: number): View["ranges"] | undefined {
  const ring = cluster.disk(number)?.ring;
  return ring?.entries.flatMap(({ peer: owner }, index) =>
    entryRanges(ring.entries, index, ring.universe).map((range) => ({ ...range, owner })),
  );
}
