import { addTraffic, type LinkTraffic } from "../../base/overlay.ts";
import type { LinkCounters } from "../../overlay/sleeve/counters.ts";

/**
 * What the worker's links have carried, in memory that it writes and the main thread reads:
 *
 *   edition, links: 4 each | link, frames out, octets out, frames in, octets in: 8 each | …
 *
 * The edition is odd while rows are written: a reader that met it, or finds another afterwards,
 * reads again. Rows stand in the order of their links' numbers.
 */
export const trafficLinksMax = 1024;
const headBytes = 8;
const editionAt = 0;
const linksAt = 1;
const rowNumbers = 5;
/** The writer needs microseconds; who meets it so often finds nothing rather than a mixture. */
const triesMax = 1000;

export class TrafficBoard {
  readonly #head: Int32Array;
  readonly #rows: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#rows = new Float64Array(memory, headBytes);
  }

  static allocate(): SharedArrayBuffer {
    const rowBytes = rowNumbers * Float64Array.BYTES_PER_ELEMENT;
    return new SharedArrayBuffer(headBytes + trafficLinksMax * rowBytes);
  }

  /** Of links beyond {@link trafficLinksMax} nothing is told. */
  publish(links: ReadonlyMap<number, LinkCounters>): void {
    // Odd already where a worker was ended as it wrote.
    const edition = Atomics.load(this.#head, editionAt) | 1;
    Atomics.store(this.#head, editionAt, edition);
    let at = 0;
    for (const [link, counters] of links) {
      if (at === trafficLinksMax * rowNumbers) break;
      this.#rows[at++] = link;
      this.#rows[at++] = counters.framesOut;
      this.#rows[at++] = counters.frameOctetsOut;
      this.#rows[at++] = counters.framesIn;
      this.#rows[at++] = counters.frameOctetsIn;
    }
    Atomics.store(this.#head, linksAt, at / rowNumbers);
    Atomics.store(this.#head, editionAt, (edition + 1) | 0);
  }

  read(link: number): LinkTraffic | undefined {
    return this.#consistently(() => {
      const at = this.#rowOf(link);
      return at === undefined ? undefined : this.#trafficAt(at);
    });
  }

  readAll(): ReadonlyMap<number, LinkTraffic> {
    const all = this.#consistently(() => {
      const found = new Map<number, LinkTraffic>();
      for (let at = 0; at < this.#end; at += rowNumbers) {
        found.set(this.#rows[at]!, this.#trafficAt(at));
      }
      return found;
    });
    return all ?? new Map();
  }

  #consistently<T>(read: () => T): T | undefined {
    for (let left = triesMax; left > 0; left--) {
      const edition = Atomics.load(this.#head, editionAt);
      if (edition % 2 !== 0) continue;
      const found = read();
      if (Atomics.load(this.#head, editionAt) === edition) return found;
    }
    return undefined;
  }

  get #end(): number {
    return Atomics.load(this.#head, linksAt) * rowNumbers;
  }

  #rowOf(link: number): number | undefined {
    for (let at = 0; at < this.#end; at += rowNumbers) if (this.#rows[at] === link) return at;
    return undefined;
  }

  #trafficAt(at: number): LinkTraffic {
    const [sentPackets, sentBytes, receivedPackets, receivedBytes] = [1, 2, 3, 4].map(
      (column) => this.#rows[at + column]!,
    ) as [number, number, number, number];
    return { sentPackets, sentBytes, receivedPackets, receivedBytes };
  }
}

/** The same over all workers that a link has had. */
export class LinkTallies {
  readonly memory = TrafficBoard.allocate();
  readonly #board = new TrafficBoard(this.memory);
  readonly #former = new Map<number, LinkTraffic>();

  of(link: number): LinkTraffic | undefined {
    return sum(this.#former.get(link), this.#board.read(link));
  }

  /** The next worker counts from zero. */
  workerEnded(): void {
    for (const [link, traffic] of this.#board.readAll()) {
      this.#former.set(link, sum(this.#former.get(link), traffic) ?? traffic);
    }
    this.#board.publish(new Map());
  }

  forget(link: number): void {
    this.#former.delete(link);
  }
}

function sum(a: LinkTraffic | undefined, b: LinkTraffic | undefined): LinkTraffic | undefined {
  return a === undefined || b === undefined ? (a ?? b) : addTraffic(a, b);
}
