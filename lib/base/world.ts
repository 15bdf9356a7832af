import type { Random } from "./random.ts";

/** Stops what it was returned for; calling it again does nothing. */
export type Cancel = () => void;

/** Where the core writes what operators may want to read. Lines are plain text and greppable. */
export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

/**
 * Everything the core may know of the machine it runs on. The daemon gives it the real clock and
 * kernel randomness; the simulator gives it a virtual clock and one seed.
 */
export interface World {
  /** Wall clock in milliseconds since the Unix epoch. May jump; never use it to measure a wait. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonicMs(): number;
  /** Runs `action` once, `delayMs` from now, never before the current action has returned. */
  after(delayMs: number, action: () => void): Cancel;
  readonly random: Random;
  readonly log: Log;
}

/** Runs `action` every `periodMs` until cancelled, the first time after one period. */
export function every(world: Pick<World, "after">, periodMs: number, action: () => void): Cancel {
  let cancel = world.after(periodMs, tick);
  let stopped = false;
  function tick(): void {
    action();
    if (!stopped) cancel = world.after(periodMs, tick);
  }
  return () => {
    stopped = true;
    cancel();
  };
}

/** A log that keeps nothing, for code whose log nobody reads. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
