import { libc } from "./libc.ts";

const systemCall = process.arch === "arm64" ? 283 : 324;
const MEMBARRIER_CMD_GLOBAL = 1;
/** Far longer than the kernel lets a processor go on with anything that must not be interrupted. */
const pauseMs = 50;

/**
 * Waits until every processor has finished what it was about in the kernel when this was called, a
 * packet on its way through filters say (membarrier(2)): some ten milliseconds, on one processor none.
 */
export function awaitGracePeriod(): void {
  if (libc.syscall(systemCall, MEMBARRIER_CMD_GLOBAL, null, 0, 0) < 0) Bun.sleepSync(pauseMs);
}
