import {
  type EngineCounters,
  type LinkCounters,
  newEngineCounters,
  newLinkCounters,
} from "../../overlay/sleeve/counters.ts";

/** What the sockets count, besides what the engine counts. */
export interface SocketCounters {
  /** Frames that the capture socket passed on. */
  captureReceived: number;
  /** Frames lost because they came faster than they were read. */
  captureDropped: number;
  /** Frames whose unfinished parts are not what their headers say. */
  captureMalformed: number;
  injectFailures: number;
  /** How often the worker has gone round: a number that stands still means it hangs. */
  turns: number;
  /** Milliseconds in which it did not sleep. */
  busyMs: number;
}

export interface DataPlaneCounters {
  readonly engine: EngineCounters;
  readonly total: LinkCounters;
  readonly sockets: SocketCounters;
}

type Group = Record<string, number>;

/**
 * Counters in memory that the worker writes and the main thread reads, one 64-bit float each, in
 * the order of their names in the three groups. A reader may see a count that is newer than
 * another, never a torn one.
 */
export class CounterBoard {
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#values = new Float64Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    const groups: object[] = [newEngineCounters(), newLinkCounters(), newSocketCounters()];
    const count = groups.reduce((sum, group) => sum + Object.keys(group).length, 0);
    return new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT);
  }

  publish(counters: DataPlaneCounters): void {
    let at = 0;
    for (const group of [counters.engine, counters.total, counters.sockets]) {
      for (const value of Object.values(group)) this.#values[at++] = value;
    }
  }

  read(): DataPlaneCounters {
    const engine = newEngineCounters();
    const total = newLinkCounters();
    const sockets = newSocketCounters();
    let at = 0;
    for (const group of [engine, total, sockets]) {
      const named: Group = { ...group };
      for (const name of Object.keys(named)) named[name] = this.#values[at++]!;
      Object.assign(group, named);
    }
    return { engine, total, sockets };
  }
}

export function newSocketCounters(): SocketCounters {
  return {
    captureReceived: 0,
    captureDropped: 0,
    captureMalformed: 0,
    injectFailures: 0,
    turns: 0,
    busyMs: 0,
  };
}
