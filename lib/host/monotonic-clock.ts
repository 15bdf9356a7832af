/**
 * Milliseconds that never go back, counted from the Unix epoch as the clock stood when the process
 * began: machines whose clocks agree have their beats together (lib/base/beat.ts). All threads of a
 * process see the same time to within a fraction of a millisecond.
 */
export function monotonicMs(): number {
  return performance.timeOrigin + performance.now();
}
