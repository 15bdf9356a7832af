/** Asking takes at most one part in so many of the time, whatever it costs the router … */
const restShare = 10;
/** … but for what is known to change is asked at least so often. */
const restMaxMs = 10_000;

/** What is done again and again. */
export interface Repeated {
  /** Does it after this time, unless it is to be done before. */
  soon(delayMs: number): void;
}

/** Does something now and every `periodMs` or so, while somebody looks, until the signal. */
export function again(
  signal: AbortSignal,
  periodMs: number,
  action: () => Promise<void>,
): Repeated {
  let timer = 0;
  let dueMs = 0;
  let isActing = false;
  const plan = (delayMs: number): void => {
    if (signal.aborted) return;
    clearTimeout(timer);
    dueMs = performance.now() + delayMs;
    timer = window.setTimeout(act, delayMs);
  };
  const act = async (): Promise<void> => {
    clearTimeout(timer);
    if (isActing || document.hidden) return;
    isActing = true;
    const beganMs = performance.now();
    await action();
    isActing = false;
    const restMs = Math.min(restMaxMs, restShare * (performance.now() - beganMs));
    plan(Math.max(periodMs, restMs));
  };
  document.addEventListener("visibilitychange", () => void act(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void act();
  return {
    soon(delayMs) {
      const isBefore = performance.now() + delayMs < dueMs;
      if (isBefore && !isActing) plan(delayMs);
    },
  };
}
