import { everyBeat } from "../base/beat.ts";
import type { World } from "../base/world.ts";
import { isContainerAlive } from "../host/container.ts";

/** How often the router looks whether namespaces and processes are still there. */
const lookPeriodMs = 5_000;

/** What became of a container. */
export interface ContainerFates {
  /** It ended and may be started again. */
  died(ident: string): void;
  /** It runs again, or nobody can tell whether it does. */
  started(ident: string): void;
  /** It will not come back. */
  gone(ident: string): void;
}

/** What a container engine tells of its containers, by full id. May be told more than once. */
export interface EngineNews {
  started(id: string): void;
  died(id: string): void;
  destroyed(id: string): void;
  /** It is away, and may start containers before it tells of them. */
  lost(): void;
  /** All that it has, whether they run or not; whoever is not among them is destroyed. */
  found(all: readonly { readonly id: string; readonly running: boolean }[]): void;
}

/**
 * Notices what happens to containers without `weave detach`: a namespace that was deleted and a
 * process that ended, by looking; a container that its engine stopped, started again or removed, by
 * what that tells. An engine that does not answer is no reason to take anything away.
 */
export class ContainerWatch implements EngineNews {
  readonly #idents: () => ReadonlySet<string>;
  readonly #fates: ContainerFates;
  /** Containers of the engine of whose end was told, and of nothing since. */
  readonly #stopped = new Set<string>();
  readonly #cancel: () => void;

  /** @param idents everybody who holds an address or a name */
  constructor(
    world: Pick<World, "after" | "monotonicMs">,
    idents: () => ReadonlySet<string>,
    fates: ContainerFates,
  ) {
    this.#idents = idents;
    this.#fates = fates;
    this.#cancel = everyBeat(world, lookPeriodMs, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  started(id: string): void {
    this.#stopped.delete(id);
    this.#fates.started(id);
  }

  died(id: string): void {
    this.#stopped.add(id);
    this.#fates.died(id);
  }

  destroyed(id: string): void {
    this.#stopped.delete(id);
    this.#fates.gone(id);
  }

  lost(): void {
    for (const id of this.#stopped) this.#fates.started(id);
    this.#stopped.clear();
  }

  found(all: readonly { readonly id: string; readonly running: boolean }[]): void {
    const runs = new Map(all.map(({ id, running }) => [id, running]));
    for (const ident of this.#idents()) {
      if (!/^[0-9a-f]{64}$/.test(ident)) continue;
      const running = runs.get(ident);
      if (running === undefined) this.destroyed(ident);
      else if (running && this.#stopped.has(ident)) this.started(ident);
      else if (!running && !this.#stopped.has(ident)) this.died(ident);
    }
    for (const id of this.#stopped) if (!runs.has(id)) this.#stopped.delete(id);
  }

  #look(): void {
    for (const ident of this.#idents()) {
      if (isContainerAlive(ident) === false) this.#fates.gone(ident);
    }
  }
}
