import { WeaveError } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import type { DirectPeers } from "./direct-peers.ts";
import { Target } from "./target.ts";

export type Resolve = (host: string, done: (addresses: string[] | WeaveError) => void) => Cancel;

/**
 * Finds the addresses of peers that a user gave by name, and goes on trying with the back-off of
 * targets: a name that does not resolve yet is no reason to stop.
 */
export class NameLookups {
  readonly #world: World;
  readonly #direct: DirectPeers;
  readonly #resolve: Resolve;
  /** Names without any address, by host name. */
  readonly #pending = new Map<string, Target>();
  readonly #cancels = new Set<Cancel>();

  constructor(world: World, direct: DirectPeers, resolve: Resolve) {
    this.#world = world;
    this.#direct = direct;
    this.#resolve = resolve;
  }

  /** Names that have no address yet, as targets. */
  get pending(): Iterable<Target> {
    return this.#pending.values();
  }

  /** The user asks again. */
  renew(host: string): void {
    this.#pending.get(host)?.renew(this.#world.monotonicMs());
  }

  /**
   * Looks up what is due; `answered` is called for each answer. Returns the monotonic times at which
   * to come again.
   */
  check(answered: () => void): number[] {
    const unresolved = [...this.#direct].filter(
      (peer) => peer.isName && this.#direct.endpoints(peer).length === 0,
    );
    const hosts = new Set(unresolved.map(({ host }) => host));
    for (const host of this.#pending.keys()) if (!hosts.has(host)) this.#pending.delete(host);
    const nowMs = this.#world.monotonicMs();
    const later: number[] = [];
    for (const { host, port } of unresolved) {
      const lookup = this.#pending.get(host) ?? new Target({ host, port }, nowMs);
      this.#pending.set(host, lookup);
      if (lookup.state !== "waiting" || lookup.dueAtMs === undefined) continue;
      if (lookup.dueAtMs > nowMs) later.push(lookup.dueAtMs);
      else this.#lookUp(host, lookup, answered);
    }
    return later;
  }

  /** Resolves `hosts` again; `done` is called once, when all have answered. */
  refresh(hosts: ReadonlySet<string>, done: () => void): void {
    let outstanding = hosts.size;
    for (const host of hosts) {
      this.#ask(host, (addresses) => {
        // What the resolver cannot tell now may still be true.
        if (!(addresses instanceof WeaveError)) this.#direct.resolved(host, addresses);
        if (--outstanding === 0) done();
      });
    }
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #lookUp(host: string, lookup: Target, answered: () => void): void {
    lookup.state = "attempting";
    this.#ask(host, (addresses) => {
      if (addresses instanceof WeaveError) {
        this.#world.log.warn(`peer ${host}: ${addresses.message}`);
        lookup.ended(addresses, this.#world.monotonicMs(), this.#world.random);
      } else {
        this.#direct.resolved(host, addresses);
      }
      answered();
    });
  }

  #ask(host: string, done: (addresses: string[] | WeaveError) => void): void {
    const cancel = this.#resolve(host, (answer) => {
      this.#cancels.delete(cancel);
      const empty = Array.isArray(answer) && answer.length === 0;
      done(empty ? new WeaveError("HOST_UNKNOWN", `lookup ${host}: no addresses`) : answer);
    });
    this.#cancels.add(cancel);
  }
}
