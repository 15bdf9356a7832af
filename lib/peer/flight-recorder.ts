import type { WeaveError } from "../base/errors.ts";
import { byPeerName, type PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { World } from "../base/world.ts";
import { Latest } from "../incident/latest.ts";
import { changedOwners, type OwnedRange, type OwnerChange } from "../incident/owner-changes.ts";
import { sortedChanges } from "../incident/sorted-changes.ts";
import type { RangeStatus } from "../ipam/allocator-status.ts";
import type { Passage } from "../mesh/passage.ts";

/** Of each kind, the latest. A message takes about 100 octets of memory. */
const passagesMax = 4096;
const linkChangesMax = 4096;
const ownerChangesMax = 2048;

type Pair = RoutesSnapshot["links"][number];

interface Stamp {
  /** Grows by one from record to record, of whatever kind. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Gossip that came or went; `refusal` is the code where the owner of the channel did not take it. */
export type PassageRecord = Stamp & Passage & { readonly refusal?: string };

/**
 * A change in what this peer knows of the topology: a link that carries frames, or a peer. `unseen`
 * are links of peers that went out of sight with both ends: what became of them is not known.
 */
export type TopologyRecord = Stamp & {
  readonly change: "linked" | "parted" | "unseen" | "appeared" | "gone";
  /** Two of a link, or the one peer. */
  readonly peers: readonly PeerName[];
};

export type OwnerRecord = Stamp & OwnerChange<PeerName>;

export interface Recording {
  /** When it began, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly gossip: readonly PassageRecord[];
  readonly topology: readonly TopologyRecord[];
  readonly owners: readonly OwnerRecord[];
  /** Records that there was no room for any more. */
  readonly dropped: { readonly gossip: number; readonly topology: number; readonly owners: number };
}

/**
 * Remembers the last of what went on between this peer and the others, so that it can be looked at
 * after something went wrong: gossip, changes of the topology and of who owns which addresses. It
 * keeps no payloads.
 */
export class FlightRecorder {
  readonly #world: Pick<World, "now">;
  readonly #sinceMs: number;
  readonly #gossip = new Latest<PassageRecord>(passagesMax);
  readonly #topology = new Latest<TopologyRecord>(linkChangesMax);
  readonly #owners = new Latest<OwnerRecord>(ownerChangesMax);
  #sequence = 0;
  #snapshot: RoutesSnapshot = { peers: [], links: [] };
  #ring: readonly OwnedRange<PeerName>[] = [];

  constructor(world: Pick<World, "now">) {
    this.#world = world;
    this.#sinceMs = world.now();
  }

  passed(passage: Passage): void {
    this.#gossip.add({ ...this.#stamp(), ...passage });
  }

  /** What `origin` told on `channel` was not taken. */
  refused(channel: string, origin: PeerName, { code }: WeaveError): void {
    const place = { direction: "in", neighbour: origin, kind: "gossip" } as const;
    this.#gossip.add({ ...this.#stamp(), ...place, channel, origin, bytes: 0, refusal: code });
  }

  /** Runs at every change of a large topology, so it looks at each link once. */
  routes(snapshot: RoutesSnapshot): void {
    const { peers, links } = this.#snapshot;
    const known = sortedChanges(peers, snapshot.peers, (a, b) => byPeerName(a.name, b.name));
    const linked = sortedChanges(links, snapshot.links, byEnds);
    this.#snapshot = snapshot;
    const gone = new Set(known.lost.map(({ name }) => name));
    for (const { name } of known.gained) this.#note("appeared", name);
    for (const pair of linked.lost) {
      this.#note(pair.every((peer) => gone.has(peer)) ? "unseen" : "parted", ...pair);
    }
    for (const pair of linked.gained) this.#note("linked", ...pair);
    for (const peer of gone) this.#note("gone", peer);
  }

  ring(ranges: readonly RangeStatus[]): void {
    const ring = ranges.map(({ token, size, peer }) => ({ first: token, size, owner: peer }));
    for (const change of changedOwners(this.#ring, ring)) {
      this.#owners.add({ ...this.#stamp(), ...change });
    }
    this.#ring = ring;
  }

  /** What this peer knows of the topology; at most moments old. */
  get topology(): RoutesSnapshot {
    return this.#snapshot;
  }

  read(): Recording {
    const [gossip, topology, owners] = [this.#gossip, this.#topology, this.#owners];
    return {
      sinceMs: this.#sinceMs,
      ...{ gossip: gossip.list(), topology: topology.list(), owners: owners.list() },
      dropped: { gossip: gossip.dropped, topology: topology.dropped, owners: owners.dropped },
    };
  }

  #note(change: TopologyRecord["change"], ...peers: PeerName[]): void {
    this.#topology.add({ ...this.#stamp(), change, peers });
  }

  #stamp(): Stamp {
    return { sequence: this.#sequence++, atMs: Math.round(this.#world.now()) };
  }
}

function byEnds(a: Pair, b: Pair): number {
  return byPeerName(a[0], b[0]) || byPeerName(a[1], b[1]);
}
