import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import type { Cancel, World } from "../base/world.ts";
import type { KubernetesApi, PageRequest, WatchRequest } from "./kubernetes-api.ts";
import type {
  ObjectObserver,
  ObjectSource,
  WatchPhase,
  WatchStatus,
  WatchTrouble,
} from "./object-observer.ts";
import { ObjectTable } from "./object-table.ts";
import type { KubernetesObject } from "./objects.ts";
import { type Resource, resourceName } from "./resources.ts";
import { Silence } from "./silence.ts";
import { WatchCycle } from "./watch-cycle.ts";

/**
 * Keeps all objects of a kind known, for as long as it runs, whether the server does or not. What is
 * done next is decided by {@link WatchCycle}; here it is done.
 */
export class Reflector<T extends KubernetesObject> implements ObjectSource<T> {
  readonly #world: World;
  readonly #api: KubernetesApi;
  readonly #resource: Resource<T>;
  readonly #table: ObjectTable<T>;
  readonly #cycle: WatchCycle<T>;
  readonly #end = new AbortController();
  #phase: WatchPhase = "stopped";
  #sinceMs: number;
  #heardMs: number | undefined;
  #lastError: WatchTrouble | undefined;
  #isLost = false;
  #run: Promise<void> | undefined;

  constructor(world: World, api: KubernetesApi, resource: Resource<T>) {
    this.#world = world;
    this.#api = api;
    this.#resource = resource;
    this.#table = new ObjectTable(world.log);
    this.#cycle = new WatchCycle(world.random, this.#table, resource);
    this.#sinceMs = world.now();
  }

  observe(observer: ObjectObserver<T>): Cancel {
    return this.#table.observe(observer);
  }

  get(key: string): T | undefined {
    return this.#table.get(key);
  }

  all(): readonly T[] {
    return this.#table.all();
  }

  start(): void {
    this.#run ??= this.#keepKnown(this.#end.signal);
  }

  /** Resolves when nobody is told anything any more. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#run;
    this.#enter("stopped");
  }

  status(): WatchStatus {
    return {
      resource: resourceName(this.#resource),
      phase: this.#phase,
      synced: this.#cycle.synced,
      sinceMs: this.#sinceMs,
      heardMs: this.#heardMs,
      objects: this.#table.size,
      ...this.#cycle.counts(),
      lastError: this.#lastError,
    };
  }

  async #keepKnown(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const step = this.#cycle.next();
      this.#enter(this.#cycle.phase);
      if (step.kind === "rest") {
        await pause(this.#world, step.delayMs, signal);
        this.#cycle.rested();
      } else if (step.kind === "watch") {
        await this.#watch(step.from, signal);
      } else {
        await this.#list(step.page, signal);
      }
    }
  }

  async #list(wanted: PageRequest, stopped: AbortSignal): Promise<void> {
    try {
      const page = await this.#api.list(this.#resource, wanted, stopped);
      if (stopped.aborted) return;
      this.#heard();
      this.#cycle.listed(page);
    } catch (error) {
      if (!stopped.aborted) this.#failed(error, 0);
    }
  }

  async #watch(from: WatchRequest, stopped: AbortSignal): Promise<void> {
    const beganMs = this.#world.monotonicMs();
    const silence = new Silence(this.#world, () => this.#cycle.silenceMaxMs(from));
    const signal = AbortSignal.any([stopped, silence.signal]);
    const lasted = (): number => this.#world.monotonicMs() - beganMs;
    try {
      for await (const event of this.#api.watch(this.#resource, from, signal)) {
        if (stopped.aborted) return;
        this.#heard();
        if (!this.#cycle.told(event)) break;
        silence.broken();
      }
      this.#cycle.ended(lasted());
    } catch (error) {
      if (stopped.aborted) return;
      this.#failed(silence.error() ?? error, silence.heardAfterMs(beganMs));
    } finally {
      silence.end();
    }
  }

  #heard(): void {
    this.#heardMs = this.#world.now();
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#world.log.info(`${resourceName(this.#resource)} of the cluster are heard of again`);
  }

  #failed(error: unknown, lastedMs: number): void {
    this.#cycle.failed(error, lastedMs);
    const [code, text] = [errorCode(error), errorText(error)];
    // Part of the life of a watch.
    if (code === "K8S_GONE" || this.#cycle.phase === "absent") return;
    if (!this.#isLost || this.#lastError?.text !== text) {
      this.#world.log.warn(`${text}; trying again`);
    }
    this.#isLost = true;
    const remedy = error instanceof WeaveError ? (error.remedy ?? "") : "";
    this.#lastError = { code, text, remedy, atMs: this.#world.now() };
  }

  #enter(phase: WatchPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#sinceMs = this.#world.now();
  }
}
