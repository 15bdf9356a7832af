import type { Cancel, World } from "./world.ts";

/** An action that is asked for by a call. */
export interface Coalesced {
  (): void;
  /** Forgets what was asked for. */
  cancel(): void;
}

/** Runs an action a moment after it was asked for, once for all who ask meanwhile. */
export function coalesce(
  world: Pick<World, "after">,
  delayMs: number,
  action: () => void,
): Coalesced {
  let cancel: Cancel | undefined;
  const ask = (): void => {
    cancel ??= world.after(delayMs, () => {
      cancel = undefined;
      action();
    });
  };
  return Object.assign(ask, {
    cancel() {
      cancel?.();
      cancel = undefined;
    },
  });
}
