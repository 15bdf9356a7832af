import type { Cancel, World } from "./world.ts";

/**
 * A beat falls on the multiples of its period on the monotonic clock, so that whatever a router does
 * again and again falls into the same moments: it wakes once for all its links. Where the clocks of
 * machines have a common origin, so does what their neighbours send them.
 *
 *   started here ──┐
 *   clock ─────────┼───────────|─────────────────────|─────────────────────|───▶  multiples
 *   acts           └────────────────▶x──────────────▶x─────────────────────x      after 5 at most
 *
 * No wait is shorter or longer than the period by more than these parts of it: a peer that expects
 * to hear something in each period does.
 */
const waitMinPart = 0.8;
const waitMaxPart = 1.1;

/** How long from `nowMs` to the next action; the period itself for one that is on the beat. */
export function msToBeat(nowMs: number, periodMs: number): number {
  const toMultipleMs = periodMs - (nowMs % periodMs);
  const waitMinMs = waitMinPart * periodMs;
  for (const waitMs of [toMultipleMs, toMultipleMs + periodMs]) {
    if (waitMs >= waitMinMs && waitMs <= waitMaxPart * periodMs) return waitMs;
  }
  return waitMinMs;
}

/** Runs `action` on every beat until cancelled, the first time after about one period. */
export function everyBeat(
  world: Pick<World, "after" | "monotonicMs">,
  periodMs: number,
  action: () => void,
): Cancel {
  let stopped = false;
  const arm = (): Cancel => world.after(msToBeat(world.monotonicMs(), periodMs), tick);
  let cancel = arm();
  function tick(): void {
    action();
    if (!stopped) cancel = arm();
  }
  return () => {
    stopped = true;
    cancel();
  };
}
