import { errorText, WeaveError } from "../base/errors.ts";
import { RetryDelay, type RetryDelays } from "../base/retry-delay.ts";
import type { Log, World } from "../base/world.ts";
import type { Containers } from "../daemon/containers.ts";
import { askedBy } from "../daemon/events/asked-by.ts";
import { KeyedLock } from "../daemon/keyed-lock.ts";
import { under } from "../daemon/tracing/span.ts";
import type { Tracer } from "../daemon/tracing/tracer.ts";
import { containerOfEngine } from "../host/container.ts";
import { type AttachFailure, AttachFailures } from "./attach-failures.ts";
import { type AttachDefaults, type AttachPlan, attachPlan } from "./attach-plan.ts";
import type { DockerEngine } from "./engine.ts";
import type { EngineContainer, ListedEngineContainer } from "./engine-models.ts";
import type { EngineObserver } from "./engine-observer.ts";
import { Expectations } from "./expectations.ts";
import type { ExpectedStart, StartHold } from "./start-hold.ts";

/** Between attempts at a container that was found running and cannot be attached. */
const retryDelays: RetryDelays = { firstMs: 2_000, maxMs: 60_000, growth: 1.5 };

/** Containers that are looked at in one go, when all are. */
const looksMax = 8;

/** One that has waited for no longer may just be on its way. */
const quietWaitMs = 2_000;

export interface AttacherParts {
  readonly world: Pick<World, "after" | "monotonicMs" | "now">;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly engine: Pick<DockerEngine, "inspect" | "kill">;
  readonly containers: Pick<Containers, "attachContainer" | "wasDetached">;
  readonly defaults: AttachDefaults;
  /** Whether the container's command still waits for its place. */
  isWaiting(pid: number): boolean;
  /** Ends a process, if `isStill` says so once nothing else can have its id. */
  endProcess(pid: number, isStill: () => Promise<boolean>): Promise<void>;
}

/** What is known of a run of a container, from one start to its end. */
interface Run {
  readonly name: string;
  readonly pid: number;
  readonly sinceMs: number;
  readonly plan: AttachPlan;
  /** Set while it is being attached, and after that when it is. */
  isAttached: boolean;
}

/** How a container came to be looked at, which decides what a failure leads to. */
type Cause =
  /** It has just started: who waits is told, else its restart policy has to try again. */
  | "start"
  /** It had just started, and was not ended then: its process did not wait yet, say. */
  | "start again"
  /** It was found running: it is tried again. */
  | "look";

/** A container whose command waits for us. */
export interface WaitingContainer {
  readonly id: string;
  readonly name: string;
  readonly forMs: number;
  /** Why it is not attached. */
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Attaches the containers of an engine whose commands wait for that (docker.md §6), at whatever
 * comes first: the event of their start, a client that has started them, a look at all.
 *
 *   started ─┐              ┌─ not one of ours, or detached by hand: left alone
 *   client ──┼─▶ a run ─────┼─ attached
 *   look ────┘              └─ failed ──▶ a client waits: the engine ends it, the client hears why
 *                                         it just started: its process, which still waits, is
 *                                           ended, so that the engine's restart policy tries again
 *                                         otherwise:       again in 2 s, and later and later
 *
 * What is done to one container is done in turn. An end of the container ends the attempt.
 */
export class Attacher implements StartHold, EngineObserver {
  readonly #parts: AttacherParts;
  readonly #locks = new KeyedLock();
  readonly #runs = new Map<string, Run>();
  readonly #attempts = new Map<string, AbortController>();
  readonly #retries = new Map<string, { readonly delay: RetryDelay; cancel(): void }>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #expected = new Expectations();
  readonly #failures = new AttachFailures();
  #stopped = false;

  constructor(parts: AttacherParts) {
    this.#parts = parts;
  }

  // … of the engine

  started(container: EngineContainer): void {
    this.#cancelRetry(container.id);
    void this.#take(container, "start").catch(() => {});
  }

  died(id: string): void {
    this.#runs.delete(id);
    this.#cancelRetry(id);
    this.#attempts.get(id)?.abort(ended(id));
  }

  destroyed(id: string): void {
    this.died(id);
    this.#failures.forget(id);
  }

  connected(all: readonly ListedEngineContainer[]): void {
    void this.#look(all, () => true);
  }

  swept(all: readonly ListedEngineContainer[]): void {
    for (const run of this.#runs.values()) {
      if (run.isAttached) run.isAttached = !this.#parts.isWaiting(run.pid);
    }
    void this.#look(all, (id) => this.#needsLook(id));
  }

  // … of those who start containers

  expectStart(id: string): ExpectedStart {
    const expectation = this.#expected.add(id);
    return {
      attached: async () => {
        await this.attachStarted(id);
        if (expectation.failure !== undefined) throw expectation.failure;
      },
      [Symbol.dispose]: () => this.#expected.remove(id, expectation),
    };
  }

  async settled(id: string): Promise<void> {
    await this.#busy.get(id)?.catch(() => {});
  }

  /**
   * Sees to it that a container that has been started is attached, if it is to be.
   *
   * @throws WeaveError why it cannot be
   */
  async attachStarted(id: string): Promise<void> {
    const container = await this.#parts.engine.inspect(id);
    if (container !== undefined && container.pid !== 0) await this.#take(container, "start");
  }

  // … of operators

  counts(): { readonly attached: number; readonly failures: number } {
    let attached = 0;
    for (const { isAttached } of this.#runs.values()) if (isAttached) attached++;
    return { attached, failures: this.#failures.total };
  }

  /** The latest of each container, oldest first. */
  failures(): readonly AttachFailure[] {
    return this.#failures.list();
  }

  /** Containers that have waited for some seconds, and why. */
  waiting(): WaitingContainer[] {
    const nowMs = this.#parts.world.monotonicMs();
    return [...this.#runs].flatMap(([id, run]) => {
      const forMs = nowMs - run.sinceMs;
      if (run.plan.kind === "none" || run.isAttached || forMs < quietWaitMs) return [];
      if (!this.#parts.isWaiting(run.pid)) return [];
      return [{ id, name: run.name, forMs, ...this.#whyWaiting(id, run) }];
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const id of [...this.#retries.keys()]) this.#cancelRetry(id);
    for (const attempt of this.#attempts.values()) {
      attempt.abort(new WeaveError("ATTACH_STOPPED", "the router stops"));
    }
  }

  /** Every attempt at a container goes through here, one after the other. */
  #take(container: EngineContainer, cause: Cause): Promise<void> {
    const { id } = container;
    const mine = this.#locks.run(id, () => this.#attempt(container, cause));
    this.#busy.set(id, mine);
    const done = (): void => {
      if (this.#busy.get(id) === mine) this.#busy.delete(id);
    };
    mine.then(done, done);
    return mine;
  }

  async #attempt(container: EngineContainer, cause: Cause): Promise<void> {
    const { id, pid } = container;
    const { world } = this.#parts;
    const known = this.#runs.get(id);
    if (this.#stopped || (known?.pid === pid && this.#isSettled(known))) return;
    const plan = this.#planFor(container);
    const run = {
      ...{ name: container.name, pid, plan, isAttached: false },
      sinceMs: known?.pid === pid ? known.sinceMs : world.monotonicMs(),
    };
    this.#runs.set(id, run);
    if (plan.kind === "attach") await this.#attach(container, plan, run, cause);
    else if (plan.kind === "left alone") {
      this.#parts.log.info(`container ${container.name} is left alone: it ${plan.reason}`);
    }
  }

  #planFor(container: EngineContainer): AttachPlan {
    const { containers, defaults } = this.#parts;
    const plan = attachPlan(container, defaults);
    if (plan.kind !== "attach" || !containers.wasDetached(containerOfEngine(container)))
      return plan;
    return { kind: "left alone", reason: "was detached after it had started" };
  }

  async #attach(
    container: EngineContainer,
    { how }: Pick<Extract<AttachPlan, { kind: "attach" }>, "how">,
    run: Run,
    cause: Cause,
  ): Promise<void> {
    const { id, name } = container;
    const { containers, log } = this.#parts;
    const attempt = new AbortController();
    this.#attempts.set(id, attempt);
    try {
      const target = containerOfEngine(container);
      const { cidrs } = await this.#traced(id, () =>
        containers.attachContainer(target, how, attempt.signal),
      );
      run.isAttached = true;
      this.#failures.forget(id);
      this.#expected.succeeded(id);
      this.#cancelRetry(id);
      log.info(`attached container ${name} with ${cidrs.join(", ")}`);
    } catch (error) {
      if (await this.#hasEnded(container)) return;
      // The end that was told of was that of a run before this one.
      if (attempt.signal.aborted && !this.#stopped) {
        return await this.#attach(container, { how }, run, cause);
      }
      await this.#failed(container, error, cause);
    } finally {
      if (this.#attempts.get(id) === attempt) this.#attempts.delete(id);
    }
  }

  /** As a part of the request that started it, or for the engine. */
  #traced<T>(id: string, action: () => Promise<T>): Promise<T> {
    const expectation = this.#expected.of(id);
    const asked = (): Promise<T> => askedBy({ kind: expectation ? "proxy" : "engine" }, action);
    if (expectation !== undefined) return under(expectation.span, asked);
    const attributes = { "container.id": id, "weave.caller": "engine" };
    const start = { name: "container started", kind: "internal", attributes } as const;
    return this.#parts.tracer.trace(start, asked);
  }

  async #failed(container: EngineContainer, error: unknown, cause: Cause): Promise<void> {
    const { id, name, pid } = container;
    const { engine, log, world } = this.#parts;
    const failure = cannotAttach(name, error);
    if (this.#stopped) throw failure;
    const isNews = this.#failures.of(id)?.reason !== errorText(error);
    this.#failures.add(container, error, world.now());
    if (isNews) log.warn(failure.message);
    // Its end makes an end of this too: what follows may find that it cannot end it.
    this.#retryLater(id, cause === "look" ? "look" : "start again");
    if (this.#expected.failed(id, failure)) {
      await this.#tried(`end container ${name}`, () => engine.kill(id));
    } else if (cause !== "look" && this.#parts.isWaiting(pid)) {
      const isStill = () => this.#isSure(container);
      await this.#tried(`end container ${name}`, () => this.#parts.endProcess(pid, isStill));
    }
    if (cause === "start") throw failure;
  }

  /** Whether it runs no more, or another time. In doubt it runs. */
  async #hasEnded({ id, pid }: EngineContainer): Promise<boolean> {
    try {
      return (await this.#parts.engine.inspect(id))?.pid !== pid;
    } catch {
      return false;
    }
  }

  /** Whether this process is that of the container, as the engine and the kernel have it. */
  async #isSure({ id, pid }: EngineContainer): Promise<boolean> {
    return this.#parts.isWaiting(pid) && (await this.#parts.engine.inspect(id))?.pid === pid;
  }

  async #tried(what: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#parts.log.warn(`cannot ${what}: ${errorText(error)}`);
    }
  }

  #retryLater(id: string, cause: Cause): void {
    const delay = this.#retries.get(id)?.delay ?? new RetryDelay(retryDelays);
    const cancel = this.#parts.world.after(delay.after(0), () => void this.#lookAt(id, cause));
    this.#retries.set(id, { delay, cancel });
  }

  #cancelRetry(id: string): void {
    this.#retries.get(id)?.cancel();
    this.#retries.delete(id);
  }

  /** Takes up those that run and are of interest, and forgets those that are no more. */
  async #look(
    all: readonly ListedEngineContainer[],
    isOfInterest: (id: string) => boolean,
  ): Promise<void> {
    const running = all.filter((each) => each.running).map(({ id }) => id);
    const present = new Set(running);
    for (const id of this.#runs.keys()) if (!present.has(id)) this.died(id);
    const queue = running.filter(isOfInterest);
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) await this.#lookAt(id);
    };
    await Promise.all(Array.from({ length: looksMax }, worker));
  }

  async #lookAt(id: string, cause: Cause = "look"): Promise<void> {
    await this.#tried(`look at container ${id}`, async () => {
      const container = await this.#parts.engine.inspect(id);
      if (container !== undefined && container.pid !== 0) await this.#take(container, cause);
    });
  }

  /** Unknown ones, and those that are not attached and about which nothing is being done. */
  #needsLook(id: string): boolean {
    const run = this.#runs.get(id);
    if (run === undefined) return true;
    return !this.#isSettled(run) && !this.#busy.has(id) && !this.#retries.has(id);
  }

  #isSettled({ plan, isAttached }: Run): boolean {
    return plan.kind !== "attach" || isAttached;
  }

  #whyWaiting(id: string, { plan }: Run): Pick<WaitingContainer, "reason" | "remedy"> {
    if (plan.kind === "left alone") {
      const remedy = "make the container anew, or launch the router as it was when it was made";
      return { reason: `it ${plan.reason}`, remedy };
    }
    const failure = this.#failures.of(id);
    if (failure !== undefined) return { reason: failure.reason, remedy: failure.remedy };
    return { reason: "it has no address yet", remedy: "see 'weave status ipam'" };
  }
}

function ended(id: string): WeaveError {
  return new WeaveError("CONTAINER_NOT_RUNNING", `container ${id} has ended`);
}

function cannotAttach(name: string, error: unknown): WeaveError {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  const sentence = `container ${name} cannot be attached to the weave network: ${errorText(error)}`;
  return new WeaveError("ATTACH_STARTED", sentence, { cause: error, ...(remedy && { remedy }) });
}
