import { everyBeat } from "../base/beat.ts";
import { isEngineId } from "../base/engine-id.ts";
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
  /** All that it has, whether they run or not; who is not, and not attached, is destroyed in the end. */
  found(all: readonly { readonly id: string; readonly running: boolean }[]): void;
}

/**
 * Notices what happens to containers without `weave detach`: a namespace that was deleted and a
 * process that ended, by looking; a container that its engine stopped, started again or removed, by
 * what that tells. An engine that does not answer is no reason to take anything away.
 */
export class ContainerWatch implements EngineNews {
  readonly #idents: () => ReadonlySet<string>;
  readonly #attached: () => ReadonlySet<string>;
  readonly #fates: ContainerFates;
  /** Containers of the engine of whose end was told, and of nothing since. */
  readonly #stopped = new Set<string>();
  /** Whom the engine did not know at the last look, and at the first everybody of the last run. */
  #doubtful: ReadonlySet<string>;
  readonly #cancel: () => void;

  /**
   * @param idents everybody who holds an address or a name
   * @param attached everybody who has an interface on the bridge
   */
  constructor(
    world: Pick<World, "after" | "monotonicMs">,
    idents: () => ReadonlySet<string>,
    attached: () => ReadonlySet<string>,
    fates: ContainerFates,
  ) {
    this.#idents = idents;
    this.#attached = attached;
    this.#doubtful = idents();
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
    const unknown: string[] = [];
    for (const ident of this.#idents()) {
      if (!isEngineId(ident)) continue;
      const running = runs.get(ident);
      if (running === undefined) unknown.push(ident);
      else if (running && this.#stopped.has(ident)) this.started(ident);
      else if (!running && !this.#stopped.has(ident)) this.died(ident);
    }
    this.#unknown(unknown);
    for (const id of this.#stopped) if (!runs.has(id)) this.#stopped.delete(id);
  }

  /**
   * One that is attached is another engine's, for ids look the same everywhere; and one of whom
   * nothing was known at the last look may be on its way there.
   */
  #unknown(idents: readonly string[]): void {
    const attached = idents.length === 0 ? new Set() : this.#attached();
    const detached = idents.filter((ident) => !attached.has(ident));
    const before = this.#doubtful;
    this.#doubtful = new Set(detached);
    for (const ident of detached) if (before.has(ident)) this.destroyed(ident);
  }

  #look(): void {
    for (const ident of this.#idents()) {
      if (isContainerAlive(ident) === false) this.#fates.gone(ident);
    }
  }
}
