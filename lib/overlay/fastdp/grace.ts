import { unicastRoutes } from "../../base/peer-graph.ts";
import type { PeerName } from "../../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../../base/routes-snapshot.ts";
import type { ShortId } from "./ports.ts";

/**
 * A router that dies leaves its kernel behind, which goes on forwarding. So who cannot be reached
 * any more is reached as before for a while, in case that only its router, or one on the way, is
 * being started anew:
 *
 *   topology as heard        A ─ B     C ─ D        B's router died: nothing leads to C and D
 *   topology with grace      A ─ B ─ C ─ D          for {@link graceMs}, then as heard
 *
 * That may take its time on a busy machine, or where somebody installs a new version, and whoever is
 * gone for good gets nothing either way. Links between peers that can be reached otherwise have no
 * grace: there is a better way.
 *
 * Several neighbours lose a router that is started anew one after the other, and hear of each other
 * later still. So with the last link to it those get grace that ended up to {@link togetherMs}
 * before, each neighbour's own among them: otherwise each would send to the other what is for it.
 *
 * A router that is started anew introduces itself before it has a short id. Until it tells one it
 * keeps that by which its kernel goes on forwarding, unless somebody else has it now.
 */
export const graceMs = 60_000;
export const togetherMs = 10_000;

type Link = RoutesSnapshot["links"][number];

interface GracedLink {
  readonly link: Link;
  readonly untilMs: number;
}

interface EndedLink {
  readonly link: Link;
  readonly atMs: number;
}

interface GracedId {
  readonly shortId: ShortId;
  readonly untilMs: number;
}

export class GracePeriod {
  readonly #local: PeerName;
  #topology: RoutesSnapshot = { peers: [], links: [] };
  #graced: GracedLink[] = [];
  /** Of late, by key. */
  readonly #ended = new Map<string, EndedLink>();
  /** Of peers that are heard of without one. */
  #gracedIds = new Map<PeerName, GracedId>();
  /** Every peer of the effective topology; those not heard of any more with what was heard last. */
  #peers = new Map<PeerName, RoutesSnapshot["peers"][number]>();

  constructor(local: PeerName) {
    this.#local = local;
  }

  /** When {@link effective} changes by itself; infinity for never. */
  get deadlineMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#graced) firstMs = Math.min(firstMs, untilMs);
    for (const { untilMs } of this.#gracedIds.values()) firstMs = Math.min(firstMs, untilMs);
    return firstMs;
  }

  setTopology(heard: RoutesSnapshot, nowMs: number): void {
    const reached = unicastRoutes(snapshotGraph(heard), this.#local);
    const untilMs = nowMs + graceMs;
    const isLost = ([a, b]: Link): boolean => !reached.has(a) || !reached.has(b);
    const heardKeys = new Set(heard.links.map(linkKey));
    this.#noteEnded(heardKeys, nowMs);
    const graced = new Map<string, GracedLink>();
    for (const { link } of this.#ended.values()) graced.set(linkKey(link), { link, untilMs });
    // Those that have grace already keep their time.
    for (const each of this.#graced) graced.set(linkKey(each.link), each);
    this.#graced = [...graced]
      .filter(([key, { link }]) => isLost(link) && !heardKeys.has(key))
      .map(([, each]) => each);
    this.#gracedIds = this.#idsToKeep(heard, untilMs);
    this.#topology = heard;
    this.#rememberPeers();
  }

  #noteEnded(heardKeys: ReadonlySet<string>, nowMs: number): void {
    for (const link of this.#topology.links) this.#ended.set(linkKey(link), { link, atMs: nowMs });
    for (const [key, { atMs }] of this.#ended) {
      if (heardKeys.has(key) || nowMs - atMs > togetherMs) this.#ended.delete(key);
    }
  }

  #idsToKeep({ peers }: RoutesSnapshot, untilMs: number): Map<PeerName, GracedId> {
    const told = new Set(peers.map(({ shortId }) => shortId));
    const kept = new Map<PeerName, GracedId>();
    for (const { name, shortId } of peers) {
      const former = this.#peers.get(name)?.shortId;
      if (shortId !== undefined || former === undefined || told.has(former)) continue;
      kept.set(name, this.#gracedIds.get(name) ?? { shortId: former, untilMs });
    }
    return kept;
  }

  /** The topology with what has grace at `nowMs`. */
  effective(nowMs: number): RoutesSnapshot {
    if (nowMs >= this.deadlineMs) {
      this.#graced = this.#graced.filter(({ untilMs }) => nowMs < untilMs);
      for (const [name, { untilMs }] of this.#gracedIds) {
        if (nowMs >= untilMs) this.#gracedIds.delete(name);
      }
      this.#rememberPeers();
    }
    if (this.#graced.length === 0 && this.#gracedIds.size === 0) return this.#topology;
    return {
      peers: [...this.#peers.values()],
      links: [...this.#topology.links, ...this.#graced.map(({ link }) => link)],
    };
  }

  #rememberPeers(): void {
    const before = this.#peers;
    this.#peers = new Map(
      this.#topology.peers.map((peer) => {
        const shortId = peer.shortId ?? this.#gracedIds.get(peer.name)?.shortId;
        return [peer.name, { ...peer, shortId }];
      }),
    );
    for (const { link } of this.#graced) {
      for (const name of link) {
        const known = before.get(name);
        if (known !== undefined && !this.#peers.has(name)) this.#peers.set(name, known);
      }
    }
  }
}

function linkKey([a, b]: Link): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
