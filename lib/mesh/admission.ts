import type { Endpoint } from "../base/endpoint.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { ConnectionConfig } from "./connection.ts";
import type { ConnectionRoom } from "./connection-room.ts";
import { type ConnectionTable, limitReached } from "./connection-table.ts";
import { negotiateExtensions } from "./extensions.ts";
import type { RemoteFeatures } from "./features.ts";
import type { TurnedAway } from "./introduction.ts";
import type { Neighbour } from "./neighbour.ts";
import type { Peers } from "./peers.ts";
import { chooseElsewhere, formatRedirect } from "./redirect.ts";

export interface AdmissionPorts {
  readonly peers: Peers;
  readonly table: ConnectionTable<Neighbour>;
  readonly room: ConnectionRoom;
  /** Where peers listen unless an address says otherwise. */
  readonly defaultPort: number;
  /** As it is to be announced on a connection that begins now. */
  config(): ConnectionConfig;
}

/**
 * Who is let in where all connections that the limit allows are taken.
 *
 *   is there room? ──yes──▶ in
 *        │no
 *   is a neighbour dispensable? ──yes──▶ in, and the neighbour is given up
 *        │no
 *   away, and told where there may be room if it can read that
 */
export class Admission {
  readonly #world: Pick<World, "random">;
  readonly #ports: AdmissionPorts;

  constructor(world: Pick<World, "random">, ports: AdmissionPorts) {
    this.#world = world;
    this.#ports = ports;
  }

  /** Why a remote that calls from `host` is not let in, if it is not. */
  turnAway(remote: RemoteFeatures, host: string): TurnedAway | undefined {
    const { room, table } = this.#ports;
    const { self, extensions = [] } = this.#ports.config();
    const { name, features } = remote;
    if (name === self || table.get(name) !== undefined) return undefined;
    const reads = negotiateExtensions(extensions, features).has("redirects");
    const isRoom = room.freeFor(host) > 0 || this.dispensable(name, reads) !== undefined;
    if (isRoom) return undefined;
    const error = limitReached(room.max);
    if (!reads) return { error };
    return { error, says: formatRedirect({ limit: room.max, elsewhere: this.#elsewhere() }) };
  }

  /**
   * The neighbour to give up for `name`, who has fewer connections than peers make by themselves: one
   * of our kind that has more than that, for it will not dial again. So there is room for newcomers
   * also where every peer is full. For one who has no connection at all and cannot read where else to
   * go (`reads`) it may be anybody. Whoever it is still has a way to us by another neighbour.
   */
  dispensable(name: PeerName, reads: boolean): Neighbour | undefined {
    const { peers, room, table } = this.#ports;
    const linksOf = (peer: PeerName) => peers.get(peer)?.links;
    const theirs = linksOf(name)?.size ?? 0;
    const share = room.share(peers.has(name) ? peers.size - 1 : peers.size);
    if (!table.full || theirs >= share) return undefined;
    const isLost = theirs === 0 && !reads;
    let [found, most]: [Neighbour | undefined, number] = [undefined, isLost ? 1 : share];
    for (const neighbour of table) {
      const links = linksOf(neighbour.name);
      if (links === undefined || links.size <= most) continue;
      if (!isLost && !neighbour.connection.extensions.has("redirects")) continue;
      if (![...table].some((other) => links.has(other.name))) continue;
      [found, most] = [neighbour, links.size];
    }
    return found;
  }

  /** Where somebody may go for whom there is no room here. */
  #elsewhere(): Endpoint[] {
    const { peers, table, defaultPort } = this.#ports;
    const places = [...table].map(({ name, link }) => ({
      link,
      connections: peers.get(name)?.links.size ?? 0,
    }));
    return chooseElsewhere(places, defaultPort, this.#world.random);
  }
}
