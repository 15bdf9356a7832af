/**
 * Loaded into a router before its own code, so that its data plane can be made to die: every SIGUSR2
 * ends the worker thread wherever it is. It works with the executable as well as with a checkout:
 *
 *   BUN_OPTIONS="--preload /path/to/mortal-worker.ts" weave launch
 */
import type { Worker } from "node:worker_threads";

let current: Worker | undefined;

process.on("worker", (worker: Worker) => {
  current = worker;
});
process.on("SIGUSR2", () => void current?.terminate());
