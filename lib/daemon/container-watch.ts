import { everyBeat } from "../base/beat.ts";
import { errorText } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import { type ContainerEngine, isContainerAlive } from "../host/container.ts";

/** How often the router looks whether its containers are still there. */
const lookPeriodMs = 5_000;

/** What became of a container; without an engine the only thing that can be told is that it went. */
export interface ContainerFates {
  /** It ended and may be started again. */
  died(ident: string): void;
  started(ident: string): void;
  /** It will not come back. */
  gone(ident: string): void;
}

/**
 * Notices what happens to containers without `weave detach`: a namespace that was deleted, a process
 * that ended, a container that its engine stopped, started again or removed.
 */
export class ContainerWatch {
  readonly #log: World["log"];
  readonly #idents: () => Iterable<string>;
  readonly #engine: ContainerEngine | undefined;
  readonly #fates: ContainerFates;
  /** Containers of the engine that were found stopped. */
  readonly #stopped = new Set<string>();
  readonly #cancel: () => void;
  #asking = false;

  /** @param idents everybody who holds an address or a name */
  constructor(
    world: Pick<World, "after" | "monotonicMs" | "log">,
    idents: () => Iterable<string>,
    engine: ContainerEngine | undefined,
    fates: ContainerFates,
  ) {
    this.#log = world.log;
    this.#idents = idents;
    this.#engine = engine;
    this.#fates = fates;
    this.#cancel = everyBeat(world, lookPeriodMs, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const ofEngine: string[] = [];
    for (const ident of new Set(this.#idents())) {
      if (isContainerAlive(ident) === false) this.#fates.gone(ident);
      else if (/^[0-9a-f]{64}$/.test(ident)) ofEngine.push(ident);
    }
    if (ofEngine.length > 0 && this.#engine !== undefined) void this.#ask(this.#engine, ofEngine);
  }

  /** An engine that does not answer is no reason to take anything away. */
  async #ask(engine: ContainerEngine, idents: readonly string[]): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const running = new Set(await engine.runningIds());
      for (const ident of idents) {
        if (running.has(ident)) this.#found(ident);
        else await this.#missed(engine, ident);
      }
    } catch (error) {
      this.#log.debug(`containers could not be looked at: ${errorText(error)}`);
    } finally {
      this.#asking = false;
    }
  }

  #found(ident: string): void {
    if (this.#stopped.delete(ident)) this.#fates.started(ident);
  }

  async #missed(engine: ContainerEngine, ident: string): Promise<void> {
    if ((await engine.inspect(ident)) === undefined) {
      this.#stopped.delete(ident);
      this.#fates.gone(ident);
    } else if (!this.#stopped.has(ident)) {
      this.#stopped.add(ident);
      this.#fates.died(ident);
    }
  }
}
