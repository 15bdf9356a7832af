import type { Cancel } from "../base/world.ts";

/** More events at one instant come from a circle in which every event causes the next. */
const eventsPerInstantMax = 1_000_000;

/**
 * Time as an event queue: nothing happens between two events, so an hour of a cluster's life takes
 * as long as its work does. Events at the same instant run in the order in which they were asked
 * for, so one seed gives one history.
 */
export class VirtualClock {
  #nowMs = 0;
  #asked = 0;
  /** Binary heap: no event is later than its children at 2i+1 and 2i+2. */
  readonly #heap: Event[] = [];
  #waiting = 0;
  #eventsNow = 0;

  /** Milliseconds since the beginning of the simulation. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that are still to happen. */
  get pending(): number {
    return this.#waiting;
  }

  /**
   * Runs `action` `delayMs` from now, never at once. Events happen at whole milliseconds, as timers
   * of real machines have a resolution: a wait that rounding makes too short must not be repeated
   * without time going on.
   */
  after(delayMs: number, action: () => void): Cancel {
    const atMs = Math.ceil(this.#nowMs + Math.max(0, delayMs));
    const event: Event = { atMs, order: this.#asked++, action };
    this.#push(event);
    this.#waiting++;
    return () => {
      if (event.action === undefined) return;
      event.action = undefined;
      this.#waiting--;
    };
  }

  /** Lets `durationMs` pass. */
  run(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    while (this.#step(endMs));
    this.#nowMs = endMs;
  }

  /**
   * Lets time pass until `reached` holds, which is asked after every event, and returns how long it
   * took; throws when `limitMs` pass without it.
   */
  runUntil(reached: () => boolean, limitMs: number): number {
    const startMs = this.#nowMs;
    while (!reached()) {
      if (!this.#step(startMs + limitMs)) {
        this.#nowMs = startMs + limitMs;
        throw new Error(`not reached within ${limitMs} ms of simulated time`);
      }
    }
    return this.#nowMs - startMs;
  }

  #step(endMs: number): boolean {
    const event = this.#heap[0];
    if (event === undefined || event.atMs > endMs) return false;
    this.#pop();
    const action = event.action;
    if (action === undefined) return true;
    event.action = undefined;
    this.#waiting--;
    this.#eventsNow = event.atMs === this.#nowMs ? this.#eventsNow + 1 : 0;
    if (this.#eventsNow > eventsPerInstantMax) {
      throw new Error(`time does not go on after ${this.#nowMs} ms`);
    }
    this.#nowMs = event.atMs;
    action();
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
