import type { PeerName } from "../../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../../base/routes-snapshot.ts";
import type { Cancel, World } from "../../base/world.ts";
import { GracePeriod, graceMs } from "./grace.ts";
import type { AdoptedTables, KernelDatapath, NextHop, ShortId } from "./ports.ts";
import {
  changesBetween,
  findWays,
  makeTables,
  noTables,
  type Tables,
  type Ways,
} from "./tables.ts";

/**
 * Keeps a datapath's tables as topology and links say:
 *
 *   topology ──grace──▶ ways ──carriers──▶ tables ──what an earlier process left──▶ differences
 *
 * A change costs what it changes: nothing is flushed, and a link that changes overlay rewrites the
 * hops behind it and no more. What an earlier process left stays until our own view of the cluster
 * covers it, or has had the time to.
 */
export interface ForwardingOptions {
  readonly world: Pick<World, "after" | "monotonicMs">;
  readonly local: PeerName;
  readonly datapath: Pick<KernelDatapath, "adopted" | "change" | "forgetMacs">;
  /** Who means whom by short ids may have changed: neighbours take their places anew. */
  identified(): void;
  /** The topology by which frames go from now on, for whoever carries those that take sleeve. */
  forwards(topology: RoutesSnapshot): void;
  /** Neighbours whose frames take the tunnel. */
  carriers(): ReadonlyMap<PeerName, ShortId>;
}

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #grace: GracePeriod;
  #linked: ReadonlySet<PeerName> = new Set();
  #ways: Ways;
  #written: Tables;
  #adopted: AdoptedTables | undefined;
  #cancelGrace: Cancel = () => {};
  readonly #cancelAdoption: Cancel;

  constructor(options: ForwardingOptions) {
    const { world, local, datapath } = options;
    this.#options = options;
    this.#grace = new GracePeriod(local);
    this.#ways = findWays({ peers: [], links: [] }, local);
    this.#adopted = datapath.adopted;
    this.#written = datapath.adopted ?? noTables;
    this.#cancelAdoption = world.after(graceMs, () => this.#endAdoption());
  }

  setTopology(snapshot: RoutesSnapshot): void {
    const { world, local } = this.#options;
    this.#linked = new Set(snapshotGraph(snapshot).neighbours(local));
    this.#grace.setTopology(snapshot, world.monotonicMs());
    this.#refresh();
  }

  /** Other neighbours carry. */
  carriersChanged(): void {
    this.#write();
  }

  /** Whether both of us say that frames may take the connection to this peer. */
  isLinked(peer: PeerName): boolean {
    return this.#linked.has(peer);
  }

  idOf(peer: PeerName): ShortId | undefined {
    return this.#ways.ids.idOf(peer);
  }

  ownerOf(shortId: ShortId): PeerName | undefined {
    return this.#ways.ids.ownerOf(shortId);
  }

  stop(): void {
    this.#cancelGrace();
    this.#cancelAdoption();
  }

  /** Works out everything from the topology, again when its grace is over. */
  #refresh(): void {
    const { world, local, forwards } = this.#options;
    const nowMs = world.monotonicMs();
    const before = this.#ways.ids;
    const topology = this.#grace.effective(nowMs);
    this.#ways = findWays(topology, local);
    forwards(topology);
    this.#cancelGrace();
    const { deadlineMs } = this.#grace;
    if (deadlineMs !== Number.POSITIVE_INFINITY) {
      this.#cancelGrace = world.after(deadlineMs - nowMs, () => this.#refresh());
    }
    // Tables first: addresses are forgotten when nothing is sent by the former meaning any more.
    this.#options.identified();
    this.#write();
    for (const [id, owner] of before.entries()) {
      if (this.#ways.ids.ownerOf(id) !== owner) this.#options.datapath.forgetMacs(id);
    }
  }

  #write(): void {
    const self = this.#ways.ids.idOf(this.#options.local) ?? this.#written.self;
    const tables = this.#withAdopted(makeTables(this.#ways, this.#options.carriers(), self));
    const changes = changesBetween(this.#written, tables);
    this.#written = tables;
    if (changes !== undefined) this.#options.datapath.change(changes);
  }

  /** Adds what was adopted for peers of which we have yet to hear. */
  #withAdopted(tables: Tables): Tables {
    const adopted = this.#adopted;
    if (adopted === undefined) return tables;
    const isUnheard = (id: ShortId): boolean => id !== tables.self && !tables.hops.has(id);
    const hops = new Map<ShortId, NextHop>(tables.hops);
    for (const [id, hop] of adopted.hops) if (isUnheard(id)) hops.set(id, hop);
    const trees = new Map(tables.trees);
    for (const [id, tree] of adopted.trees) {
      const left = isUnheard(id) ? tree : tree.filter(isUnheard);
      if (left.length > 0) trees.set(id, [...(trees.get(id) ?? []), ...left]);
    }
    return { self: tables.self, hops, trees };
  }

  #endAdoption(): void {
    const adopted = this.#adopted;
    if (adopted === undefined) return;
    this.#adopted = undefined;
    this.#write();
    for (const id of adopted.hops.keys()) {
      if (this.ownerOf(id) === undefined) this.#options.datapath.forgetMacs(id);
    }
  }
}
