/**
 * Where the worker's entry point is. In a checkout it lies beside this file; the build compiles it
 * into the executable as an entry point of its own, under its path from the root of the project.
 */
export function workerUrl(): URL {
  return Bun.isStandaloneExecutable
    ? new URL("./lib/host/dataplane/worker.ts", import.meta.url)
    : new URL("./worker.ts", import.meta.url);
}
