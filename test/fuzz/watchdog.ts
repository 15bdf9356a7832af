import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { FuzzFailure, inputAt } from "./campaign.ts";
import { targets } from "./targets.ts";

/**
 * A thread that sees when an input never ends: the thread that handles it cannot say so itself.
 *
 *   campaign ──number of the input──▶ shared memory ──once a second──▶ watchdog ──▶ report, exit
 */
export interface WatchdogOrder {
  /** One 32-bit number: that of the input under way. */
  readonly progress: SharedArrayBuffer;
  readonly target: string;
  readonly seed: number;
}

/** An input under way for this long will not end. */
const stuckMs = 60_000;
const lookMs = 1000;
const standardError = 2;

/** Starts the thread; `progress` is to be written before each input. */
export function startWatchdog(
  target: string,
  seed: number,
): { progress: Int32Array; stop(): void } {
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(import.meta.url);
  const order: WatchdogOrder = { progress: shared, target, seed };
  worker.postMessage(order);
  worker.unref();
  return { progress: new Int32Array(shared), stop: () => worker.terminate() };
}

function watch({ progress, target: name, seed }: WatchdogOrder): void {
  const view = new Int32Array(progress);
  let seen = -1;
  let sinceMs = performance.now();
  setInterval(() => {
    const index = Atomics.load(view, 0);
    if (index !== seen) {
      seen = index;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > stuckMs) {
      const target = targets.find((each) => each.name === name)!;
      const cause = `not done after ${stuckMs} ms`;
      const failure = new FuzzFailure(name, seed, index, inputAt(target, seed, index), cause);
      writeSync(standardError, `${failure.message}\n`);
      process.kill(process.pid, "SIGKILL");
    }
  }, lookMs);
}

declare const self: { onmessage: ((event: MessageEvent<WatchdogOrder>) => void) | null };

if (!isMainThread) self.onmessage = (event) => watch(event.data);
