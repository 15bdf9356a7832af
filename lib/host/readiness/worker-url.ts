/** Where the thread's entry point is, in a checkout and in the executable (build/build.ts). */
export function readinessWorkerUrl(): URL {
  return Bun.isStandaloneExecutable
    ? new URL("./lib/host/readiness/worker.ts", import.meta.url)
    : new URL("./worker.ts", import.meta.url);
}
