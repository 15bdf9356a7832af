import { errorText } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Log, World } from "../base/world.ts";
import { monotonicMs } from "./monotonic-clock.ts";

/** `getRandomValues` fills at most this many octets a call (W3C Web Cryptography §10.1.1). */
const randomChunkMax = 65_536;

const kernelRandom: Random = {
  fill(into) {
    for (let at = 0; at < into.length; at += randomChunkMax) {
      crypto.getRandomValues(into.subarray(at, at + randomChunkMax));
    }
    return into;
  },
};

/**
 * The machine's clock, timers and randomness. A failing timer action is logged and the router goes
 * on: one broken housekeeping step must not cost a host its network.
 */
export function machineWorld(log: Log): World {
  return {
    now: () => Date.now(),
    monotonicMs,
    random: kernelRandom,
    log,
    after(delayMs, action) {
      const timer = setTimeout(() => {
        try {
          action();
        } catch (error) {
          log.error(
            `timer action failed: ${error instanceof Error ? error.stack : errorText(error)}`,
          );
        }
      }, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
