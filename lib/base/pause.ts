import type { World } from "./world.ts";

/** Resolves after a time, or as soon as it is aborted. */
export function pause(
  world: Pick<World, "after">,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = world.after(delayMs, done);
    signal.addEventListener("abort", done);
  });
}
