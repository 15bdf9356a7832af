import { unicastRoutes } from "../../base/peer-graph.ts";
import type { PeerName } from "../../base/peer-name.ts";
import { type RoutesSnapshot, snapshotGraph } from "../../base/routes-snapshot.ts";
import type { Mac } from "../../wire/ethernet.ts";
import type { Command } from "./protocol.ts";

/**
 * What a data plane leaves to that of another process, besides its sockets. Plain data.
 *
 * The links in it belong to connections that end with the former process. They carry frames until
 * their peers have new ones:
 *
 *   handed over ──▶ link of the former process ── a new one to its peer is confirmed ──▶ stopped
 *                        └─ nobody came for half a minute ──▶ stopped
 */
export interface Bequest {
  /** By which a worker comes to where the former one was. */
  readonly commands: readonly Command[];
  readonly routes: RoutesSnapshot | undefined;
  readonly residents: readonly Mac[];
}

/** For how long links of the former process are kept without a successor. */
export const estateMaxMs = 30_000;
/** For how long its routes count while the new ones do not lead to all that they lead to. */
const routesMaxMs = 5_000;

export interface EstatePorts {
  /** A link is not needed any more. */
  stop(link: number): void;
  /** Routes that were held back count from now on. */
  routes(routes: RoutesSnapshot): void;
}

/** What is left of a {@link Bequest} after it was taken up. */
export class Estate {
  /** The highest number of a link in it. */
  readonly lastLink: number;
  readonly #local: PeerName;
  readonly #links = new Map<PeerName, number>();
  readonly #ports: EstatePorts;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #reached: ReadonlySet<PeerName>;
  #held: RoutesSnapshot | undefined;

  constructor(local: PeerName, { commands, routes }: Bequest, ports: EstatePorts) {
    this.#local = local;
    this.#ports = ports;
    let lastLink = 0;
    for (const command of commands) {
      if (command.kind !== "prepare") continue;
      lastLink = Math.max(lastLink, command.link);
      this.#links.set(command.parameters.remote, command.link);
    }
    this.lastLink = lastLink;
    this.#reached = routes === undefined ? new Set() : this.#reachedBy(routes);
    this.#later(estateMaxMs, () => this.#stopAll());
    this.#later(routesMaxMs, () => this.#endRoutes());
  }

  /**
   * Whether the routes of the former process lead to peers to which `routes` do not yet, and stay for
   * a while; the port hears of `routes` then, unless better ones come.
   */
  leadsFurther(routes: RoutesSnapshot): boolean {
    const reached = this.#reachedBy(routes);
    const further = [...this.#reached].some((peer) => !reached.has(peer));
    this.#held = further ? routes : undefined;
    if (!further) this.#reached = new Set();
    return further;
  }

  #endRoutes(): void {
    this.#reached = new Set();
    if (this.#held !== undefined) this.#ports.routes(this.#held);
  }

  /** There is a link to this peer that does without the former one. */
  confirmed(remote: PeerName | undefined): void {
    const former = remote === undefined ? undefined : this.#links.get(remote);
    if (former === undefined || remote === undefined) return;
    this.#links.delete(remote);
    this.#ports.stop(former);
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #reachedBy(routes: RoutesSnapshot): Set<PeerName> {
    return new Set(unicastRoutes(snapshotGraph(routes), this.#local).keys());
  }

  #stopAll(): void {
    for (const link of this.#links.values()) this.#ports.stop(link);
    this.#links.clear();
  }

  #later(delayMs: number, action: () => void): void {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    this.#timers.push(timer);
  }
}
