import { everyBeat } from "../base/beat.ts";
import { errorCode, errorText, WeaveError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { RetryDelay } from "../base/retry-delay.ts";
import type { Cancel, World } from "../base/world.ts";
import { ContainerStates } from "./container-states.ts";
import type { DockerEngine } from "./engine.ts";
import type { ListedEngineContainer } from "./engine-models.ts";
import type { EngineObserver } from "./engine-observer.ts";
import {
  type ContainerAction,
  type ContainerEvent,
  EventLines,
  eventsPath,
} from "./event-lines.ts";
import { StartWatch } from "./start-watch.ts";

/** docker.md §10 */
const retryDelays = { firstMs: 1000, maxMs: 20_000, growth: 1.5 };

/** How often it is looked whether there is another socket by now. */
const socketLookMs = 1000;

/** How often all containers are looked at, for whatever no event told of. */
const sweepPeriodMs = 30_000;

/** Events while a list is on its way; with more of them, everything is begun anew. */
const heldEventsMax = 10_000;

export interface EngineTrouble {
  readonly code: string;
  readonly text: string;
  /** Empty where there is none in particular. */
  readonly remedy: string;
  readonly atMs: number;
}

/** How it stands with the engine. Times are milliseconds since the Unix epoch. */
export interface EngineConnection {
  /** Missing while there is no connection. */
  readonly sinceMs: number | undefined;
  /** How often there has been one. */
  readonly connections: number;
  /** What ended the last one, or kept one from coming; kept when it goes on. */
  readonly lastError: EngineTrouble | undefined;
  /** Told by the engine, since the start. */
  readonly events: Readonly<Record<ContainerAction, number>>;
  /** Found by looking, since the start. */
  readonly missed: number;
}

/** One connection to the engine. */
interface Subscription {
  /** Events that wait for a list; missing while none is on its way. */
  held: ContainerEvent[] | undefined;
}

/**
 * Follows what happens to an engine's containers, for as long as it runs, whether the engine does or
 * not:
 *
 *   waiting ──▶ subscribed ──▶ listed ──▶ following ──┐
 *      ▲            │             │           │ ▲     │ all containers listed again, now and then
 *      │            │             │           │ └─────┘
 *      └── 1 s ×1.5 … 20 s ◀──────┴───────────┘ the engine ends, or does not answer
 *          or a new socket
 *
 * Events of before the list may come after it and are told again; those that come while it is on its
 * way wait for it. So what is told last of a container is always how it stands, and a gap is closed
 * by what a list shows to be missing.
 */
export class EngineEvents {
  readonly #world: World;
  readonly #engine: DockerEngine;
  readonly #observers = new Set<EngineObserver>();
  readonly #states = new ContainerStates();
  readonly #starts: StartWatch;
  readonly #end = new AbortController();
  readonly #counts: Record<ContainerAction, number> = { start: 0, die: 0, destroy: 0 };
  #subscription: Subscription | undefined;
  #missed = 0;
  #sinceMs: number | undefined;
  #connections = 0;
  #lastError: EngineConnection["lastError"];
  #run: Promise<void> | undefined;

  constructor(world: World, engine: DockerEngine) {
    this.#world = world;
    this.#engine = engine;
    this.#starts = new StartWatch({
      ...{ world, log: world.log },
      inspect: (id) => engine.inspect(id),
      started: (container) => this.#tell((observer) => observer.started?.(container)),
      missed: (id) => this.#states.untold(id),
    });
  }

  /** Before {@link start}, to hear of everything. */
  observe(observer: EngineObserver): Cancel {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  start(): void {
    this.#run ??= this.#keepFollowing(this.#end.signal);
  }

  /** Resolves when nobody is told anything any more. */
  async stop(): Promise<void> {
    this.#end.abort();
    this.#starts.giveUp();
    await this.#run;
  }

  status(): EngineConnection {
    return {
      sinceMs: this.#sinceMs,
      connections: this.#connections,
      lastError: this.#lastError,
      events: { ...this.#counts },
      missed: this.#missed,
    };
  }

  async #keepFollowing(signal: AbortSignal): Promise<void> {
    const delay = new RetryDelay(retryDelays);
    while (!signal.aborted) {
      const beganMs = this.#world.monotonicMs();
      const error = await this.#follow(signal);
      if (signal.aborted) return;
      const lastedMs = this.#sinceMs === undefined ? 0 : this.#world.monotonicMs() - beganMs;
      this.#disconnected(error);
      await this.#rest(delay.after(lastedMs), signal);
    }
  }

  /** Cut short by a socket that an engine has made meanwhile: it has started. */
  async #rest(delayMs: number, signal: AbortSignal): Promise<void> {
    const world = this.#world;
    const { client } = this.#engine;
    const before = client.socketStamp();
    const untilMs = world.monotonicMs() + delayMs;
    while (!signal.aborted && client.socketStamp() === before) {
      const leftMs = untilMs - world.monotonicMs();
      if (leftMs <= 0) return;
      await pause(world, Math.min(leftMs, socketLookMs), signal);
    }
  }

  #disconnected(error: unknown): void {
    const { log } = this.#world;
    const text = errorText(error);
    const wasConnected = this.#sinceMs !== undefined;
    if (wasConnected) log.warn(`lost the Docker engine: ${text}; trying again`);
    else if (this.#lastError?.text !== text) log.info(`${text}; trying again now and then`);
    this.#sinceMs = undefined;
    this.#subscription = undefined;
    this.#starts.giveUp();
    const remedy = error instanceof WeaveError ? error.remedy : undefined;
    this.#lastError = {
      ...{ code: errorCode(error), text, remedy: remedy ?? "" },
      atMs: this.#world.now(),
    };
    if (wasConnected) this.#tell((observer) => observer.disconnected?.());
  }

  /** Resolves with what has ended the connection. */
  async #follow(stopped: AbortSignal): Promise<unknown> {
    const broken = new AbortController();
    const signal = AbortSignal.any([stopped, broken.signal]);
    let cancelSweep: Cancel | undefined;
    try {
      const stream = await this.#engine.client.stream({ path: eventsPath }, signal);
      const subscription: Subscription = { held: [] };
      this.#subscription = subscription;
      const reading = this.#read(stream, subscription);
      await Promise.race([reading, this.#list(subscription)]);
      cancelSweep = everyBeat(this.#world, sweepPeriodMs, () => {
        this.#sweep(subscription).catch((error) => broken.abort(error));
      });
      return await reading;
    } catch (error) {
      return broken.signal.aborted ? broken.signal.reason : error;
    } finally {
      cancelSweep?.();
      broken.abort();
    }
  }

  /** @throws WeaveError when it ends, whatever ended it */
  async #read(stream: AsyncIterable<Uint8Array>, to: Subscription): Promise<never> {
    const lines = new EventLines();
    for await (const chunk of stream) {
      for (const event of lines.push(chunk)) this.#take(event, to);
    }
    throw new WeaveError("ENGINE_UNREACHABLE", "the Docker engine has ended its events");
  }

  #take(event: ContainerEvent, { held }: Subscription): void {
    this.#counts[event.action]++;
    if (held === undefined) {
      this.#apply(event);
    } else if (held.push(event) > heldEventsMax) {
      throw new WeaveError("ENGINE_ANSWER", "the Docker engine sends events faster than a list");
    }
  }

  #apply(event: ContainerEvent): void {
    const { action, id } = event;
    this.#states.event(event);
    if (action === "start") {
      this.#starts.begin(id);
    } else {
      this.#starts.cancel(id);
      this.#tell((observer) => (action === "die" ? observer.died?.(id) : observer.destroyed?.(id)));
    }
  }

  async #sweep(subscription: Subscription): Promise<void> {
    // The engine takes longer for a list than there is time between two.
    if (subscription.held !== undefined) return;
    subscription.held = [];
    await this.#list(subscription);
  }

  /** Tells what was missed, and then what came while the list was on its way. */
  async #list(subscription: Subscription): Promise<void> {
    const all = await this.#engine.allContainers();
    if (this.#subscription !== subscription || this.#end.signal.aborted) return;
    this.#reconcile(all);
    if (this.#sinceMs === undefined) this.#connected(all);
    else this.#tell((observer) => observer.swept?.(all));
    const { held = [] } = subscription;
    subscription.held = undefined;
    for (const event of held) this.#apply(event);
  }

  #reconcile(all: readonly ListedEngineContainer[]): void {
    const { started, died, destroyed } = this.#states.listed(all);
    this.#missed += started.length + died.length + destroyed.length;
    for (const id of [...died, ...destroyed]) this.#starts.cancel(id);
    for (const id of died) this.#tell((observer) => observer.died?.(id));
    for (const id of destroyed) this.#tell((observer) => observer.destroyed?.(id));
    for (const id of started) this.#starts.begin(id);
  }

  #connected(all: readonly ListedEngineContainer[]): void {
    const { client } = this.#engine;
    this.#connections++;
    this.#sinceMs = this.#world.now();
    const running = all.filter((container) => container.running).length;
    this.#world.log.info(
      `Docker engine at ${client.endpoint}: API ${client.apiVersion}, ${running} containers run`,
    );
    this.#tell((observer) => observer.connected?.(all));
  }

  /** What one observer makes of it is no other's concern. */
  #tell(tell: (observer: EngineObserver) => void): void {
    for (const observer of this.#observers) {
      try {
        tell(observer);
      } catch (error) {
        this.#world.log.error(`an event of the Docker engine was not handled: ${errorText(error)}`);
      }
    }
  }
}
