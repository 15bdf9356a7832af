import { sendBacklogMaxBytes } from "../mesh/connection.ts";
import { halfOpenMax } from "../mesh/half-open.ts";
import type { SimCluster } from "./cluster.ts";

/** Timers of a peer apart from those of its connections. */
const timersMax = 64;
/** Timers of one connection: heartbeat, deadlines, overlay, flushing. */
const timersPerStreamMax = 8;

/** What may pile up in a peer, and how much of it. */
export class Bounds {
  readonly #cluster: SimCluster;
  readonly #streamsMax: number;
  readonly #timersMax: number;

  /** Of a cluster of so many peers. */
  constructor(cluster: SimCluster, peers: number) {
    this.#cluster = cluster;
    // Links, attempts, those that are flushed, and accepted ones that have not said who they are.
    this.#streamsMax = 8 * peers + halfOpenMax;
    this.#timersMax = timersMax + timersPerStreamMax * 8 * peers;
  }

  exceeded(): { readonly found: string; readonly peers: readonly number[] } | undefined {
    const streams = new Map<string, number>();
    for (const { local, backlogBytes } of this.#cluster.network.openStreams()) {
      streams.set(local.host, (streams.get(local.host) ?? 0) + 1);
      if (backlogBytes > sendBacklogMaxBytes) {
        return { found: `${backlogBytes} octets wait at ${local.host}`, peers: [] };
      }
    }
    for (const { number, ip, world } of this.#cluster.peers) {
      const open = streams.get(ip) ?? 0;
      if (open > this.#streamsMax) return { found: `${open} streams`, peers: [number] };
      if (world.timers > this.#timersMax) {
        return { found: `${world.timers} timers`, peers: [number] };
      }
    }
    return undefined;
  }
}
