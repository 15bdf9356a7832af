import { errorText } from "../base/errors.ts";
import type { Log, World } from "../base/world.ts";

/**
 * The machine's clock, timers and randomness. A failing timer action is logged and everything else
 * goes on: one broken step must not cost a host its network.
 */
export function machineWorld(log: Log): World {
  return {
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    random: { fill: (into) => crypto.getRandomValues(into) },
    log,
    after(delayMs, action) {
      const timer = setTimeout(() => {
        try {
          action();
        } catch (error) {
          log.error(`timer action failed: ${errorText(error)}`);
        }
      }, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
