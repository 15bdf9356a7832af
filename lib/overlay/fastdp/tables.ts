import { unicastRoutes } from "../../base/peer-graph.ts";
import type { PeerName } from "../../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../../base/routes-snapshot.ts";
import { ShortIdTable } from "../short-id-table.ts";
import type { ForwardingChanges, NextHop, ShortId } from "./ports.ts";
import { everyBroadcastHops } from "./trees.ts";

/** Where frames go, worked out from a topology: in names, before anybody is carried anywhere. */
export interface Ways {
  readonly ids: ShortIdTable;
  /** Destination → the neighbour towards it. */
  readonly routes: ReadonlyMap<PeerName, PeerName>;
  /** By originator, where its floods go on; whoever is missing has no hops from here. */
  readonly trees: ReadonlyMap<ShortId, readonly ShortId[]>;
}

export function findWays(topology: RoutesSnapshot, local: PeerName): Ways {
  const ids = new ShortIdTable(topology.peers);
  const graph = snapshotGraph(topology);
  const routes = unicastRoutes(graph, local);
  const trees = new Map<ShortId, readonly ShortId[]>();
  for (const [source, hops] of everyBroadcastHops(graph, local)) {
    const id = ids.idOf(source);
    if (id !== undefined)
      trees.set(
        id,
        hops.flatMap((hop) => ids.idOf(hop) ?? []),
      );
  }
  routes.delete(local);
  return { ids, routes, trees };
}

/** What a datapath forwards by; what it is told is the difference between two of these. */
export interface Tables {
  readonly self: ShortId | undefined;
  readonly hops: ReadonlyMap<ShortId, NextHop>;
  readonly trees: ReadonlyMap<ShortId, readonly ShortId[]>;
}

export const noTables: Tables = { self: undefined, hops: new Map(), trees: new Map() };

/** `carriers`: neighbours whose frames take the tunnel; those of all others take sleeve. */
export function makeTables(
  { ids, routes, trees }: Ways,
  carriers: ReadonlyMap<PeerName, ShortId>,
  self: ShortId | undefined,
): Tables {
  const hops = new Map<ShortId, NextHop>();
  for (const [destination, via] of routes) {
    const id = ids.idOf(destination);
    if (id === undefined) continue;
    const neighbour = carriers.get(via);
    hops.set(id, neighbour === undefined ? { kind: "sleeve" } : { kind: "tunnel", neighbour });
  }
  return { self, hops, trees };
}

/** What leads from one to the other; `undefined` when nothing does. */
export function changesBetween(before: Tables, after: Tables): ForwardingChanges | undefined {
  const hops = new Map<ShortId, NextHop | undefined>();
  for (const [id, hop] of after.hops) if (!equalHops(before.hops.get(id), hop)) hops.set(id, hop);
  for (const id of before.hops.keys()) if (!after.hops.has(id)) hops.set(id, undefined);
  const trees = new Map<ShortId, readonly ShortId[]>();
  for (const [id, tree] of after.trees) {
    if (!equalTrees(before.trees.get(id), tree)) trees.set(id, tree);
  }
  for (const id of before.trees.keys()) if (!after.trees.has(id)) trees.set(id, []);
  const isOther = after.self !== undefined && after.self !== before.self;
  if (!isOther && hops.size === 0 && trees.size === 0) return undefined;
  return { ...(isOther && { self: after.self }), hops, trees };
}

function equalHops(a: NextHop | undefined, b: NextHop): boolean {
  if (a?.kind !== "tunnel" || b.kind !== "tunnel") return a?.kind === b.kind;
  return a.neighbour === b.neighbour;
}

function equalTrees(a: readonly ShortId[] | undefined, b: readonly ShortId[]): boolean {
  return a !== undefined && a.length === b.length && a.every((id, at) => id === b[at]);
}
