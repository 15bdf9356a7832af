import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { EventCounter } from "../../../ffi/descriptor.ts";
import { errorText } from "../../base/errors.ts";
import type { Log } from "../../base/world.ts";
import type { Command, WorkerEvent, WorkerSetup } from "./protocol.ts";
import { workerUrl } from "./worker-url.ts";

/** What a worker that crashes again and again waits before the next start. */
const restartDelaysMs = [0, 500, 2000, 5000, 10_000];
/** After this time without a crash the next one counts as the first, and waits for nothing. */
const restartForgivenMs = 30_000;
/** A worker that has not gone round since the last check is woken; one that does not wake is stuck. */
const hangCheckMs = 5000;
const hangChecksMax = 4;
const quitWaitMs = 2000;

export interface WorkerKeeperOptions {
  readonly wake: EventCounter;
  readonly log: Log;
  /** What the next worker is started with. */
  setup(): WorkerSetup;
  /** How often the worker has gone round so far. */
  turns(): number;
  /** A worker was started; commands from now on reach it. */
  started(): void;
  heard(event: WorkerEvent): void;
  /** The worker is gone, and nothing uses its sockets any more. */
  ended(): void;
}

/**
 * Keeps one worker thread alive:
 *
 *   starting ─▶ working ──crash, or ended because it hangs──▶ pause ─▶ starting
 *       └──────────┴──────────────────────────────────── stop ─▶ stopped
 */
export class WorkerKeeper {
  readonly #options: WorkerKeeperOptions;
  readonly #hangTimer: ReturnType<typeof setInterval>;
  #restartTimer: ReturnType<typeof setTimeout> | undefined;
  #worker: Worker | undefined;
  #commands: MessagePort | undefined;
  #startedAtMs = 0;
  #restarts = 0;
  #crashesInARow = 0;
  #turnsSeen = 0;
  #checksWithoutTurn = 0;
  #stopping = false;
  #signalling = false;

  constructor(options: WorkerKeeperOptions) {
    this.#options = options;
    this.#hangTimer = setInterval(() => this.#checkHang(), hangCheckMs);
  }

  /** How often a worker had to be replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  start(): void {
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(workerUrl(), {
      workerData: { setup: this.#options.setup(), commands: port2 },
      transferList: [port2],
    });
    this.#worker = worker;
    this.#commands = port1;
    this.#startedAtMs = performance.now();
    worker.on("message", (events: readonly WorkerEvent[]) => {
      for (const event of events) this.#options.heard(event);
    });
    worker.on("error", (error) => {
      this.#options.log.error(`data plane failed: ${errorText(error)}`);
    });
    worker.on("exit", () => this.#exited(worker));
    this.#options.started();
  }

  /** False between two workers: the next one has to be told what counts then. */
  command(command: Command): boolean {
    if (this.#commands === undefined) return false;
    this.#commands.postMessage(command);
    if (this.#signalling) return true;
    this.#signalling = true;
    // Commands come in groups, and each signal may cost a switch to the other thread.
    queueMicrotask(() => {
      this.#signalling = false;
      this.#options.wake.signal();
    });
    return true;
  }

  /** Ends the worker; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    clearInterval(this.#hangTimer);
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.command({ kind: "quit" });
    const timer = setTimeout(() => void worker.terminate(), quitWaitMs);
    await gone;
    clearTimeout(timer);
  }

  #exited(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#commands?.close();
    this.#commands = undefined;
    this.#options.ended();
    if (this.#stopping) return;
    if (performance.now() - this.#startedAtMs > restartForgivenMs) this.#crashesInARow = 0;
    const delayMs = restartDelaysMs[Math.min(this.#crashesInARow, restartDelaysMs.length - 1)]!;
    this.#crashesInARow++;
    this.#restarts++;
    this.#options.log.error(`data plane ended; starting it anew in ${delayMs} ms`);
    this.#restartTimer = setTimeout(() => this.start(), delayMs);
  }

  #checkHang(): void {
    const turns = this.#options.turns();
    const moved = turns !== this.#turnsSeen || this.#worker === undefined;
    this.#turnsSeen = turns;
    this.#checksWithoutTurn = moved ? 0 : this.#checksWithoutTurn + 1;
    if (!moved) this.#options.wake.signal();
    if (this.#checksWithoutTurn < hangChecksMax) return;
    this.#checksWithoutTurn = 0;
    this.#options.log.error("data plane does not move; ending it");
    void this.#worker?.terminate();
  }
}
