import { errorCode, errorText, WeaveError } from "../../base/errors.ts";
import { pause } from "../../base/pause.ts";
import { RetryDelay } from "../../base/retry-delay.ts";
import type { World } from "../../base/world.ts";

/** Something that a node needs to have done once before it is of use. */
export interface Task {
  /** One word. */
  readonly name: string;
  /** What is awaited while it is not done: `the bridge has no address`. */
  readonly awaits: string;
  /** Names of those that have to be done before it is tried. */
  readonly after?: readonly string[];
  /** Throws when it could not be done; it is tried again. */
  run(signal: AbortSignal): Promise<void>;
}

export interface TaskStatus {
  readonly name: string;
  readonly isDone: boolean;
  /** When it was done, or begun; milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  /** What is awaited, and why it failed the last time; missing when it is done. */
  readonly awaits?: string;
  readonly trouble?: { readonly code: string; readonly text: string; readonly remedy: string };
}

const retries = { firstMs: 1000, maxMs: 10_000, growth: 2 } as const;

/**
 * Tasks that are done one after the other where one needs another, and beside each other where not.
 * One that fails is tried again after growing pauses, for as long as it takes; its failure can be
 * seen meanwhile.
 *
 *   waiting ─ those before it are done ─▶ under way ─┬─▶ done
 *                                           ▲        │ failed
 *                                           └─ pause ┘
 */
export class TaskList {
  readonly #world: World;
  readonly #tasks: readonly Task[];
  readonly #stopped = new AbortController();
  readonly #status = new Map<string, TaskStatus>();
  readonly #done = new Map<string, PromiseWithResolvers<void>>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(world: World, tasks: readonly Task[]) {
    this.#world = world;
    this.#tasks = tasks;
    for (const { name, awaits } of tasks) {
      this.#status.set(name, { name, awaits, isDone: false, sinceMs: world.now() });
      this.#done.set(name, Promise.withResolvers());
    }
  }

  start(): void {
    this.#running = Promise.all(this.#tasks.map((task) => this.#carryOut(task)));
  }

  status(): readonly TaskStatus[] {
    return [...this.#status.values()];
  }

  /** What is not done yet, a sentence each. */
  awaited(): string[] {
    return this.status().flatMap(({ awaits, trouble }) =>
      awaits === undefined ? [] : trouble === undefined ? awaits : `${awaits}: ${trouble.text}`,
    );
  }

  /** Nothing is begun any more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #carryOut(task: Task): Promise<void> {
    const { signal } = this.#stopped;
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve()),
    );
    const before = (task.after ?? []).map((name) => this.#done.get(name)?.promise);
    await Promise.race([aborted, Promise.all(before)]);
    const delay = new RetryDelay(retries);
    while (!signal.aborted) {
      if (await this.#attempt(task)) return;
      await pause(this.#world, delay.after(0), signal);
    }
  }

  async #attempt(task: Task): Promise<boolean> {
    const { name, awaits } = task;
    const { log } = this.#world;
    try {
      await task.run(this.#stopped.signal);
    } catch (error) {
      if (this.#stopped.signal.aborted) return false;
      const before = this.#status.get(name)?.trouble?.text;
      const trouble = troubleOf(error);
      if (trouble.text !== before) log.warn(`${awaits}: ${trouble.text}; trying again`);
      this.#tell({ name, awaits, trouble, isDone: false });
      return false;
    }
    this.#tell({ name, isDone: true });
    this.#done.get(name)?.resolve();
    return true;
  }

  #tell(status: Omit<TaskStatus, "sinceMs">): void {
    const before = this.#status.get(status.name);
    const isSame = before?.isDone === status.isDone;
    const sinceMs = isSame ? before.sinceMs : this.#world.now();
    this.#status.set(status.name, { ...status, sinceMs });
  }
}

function troubleOf(error: unknown): NonNullable<TaskStatus["trouble"]> {
  const remedy = error instanceof WeaveError ? (error.remedy ?? "") : "";
  return { code: errorCode(error), text: errorText(error), remedy };
}
