import { addTraffic, type LinkTraffic } from "../../base/overlay.ts";
import type { ShortId } from "./ports.ts";

/** What a datapath has counted of a neighbour so far; `undefined` where it does not. */
export type ReadTraffic = (shortId: ShortId) => LinkTraffic | undefined;

/**
 * What one link has carried, by the counts of a datapath, which go by short id, outlive links, and
 * begin anew when tables are made anew:
 *
 *   carried before the last look  +  (count now − count at the last look)
 *
 * Under another short id, it goes on from what is counted there already.
 */
export class TrafficMeter {
  readonly #read: ReadTraffic;
  #carried: LinkTraffic | undefined;
  #last: { readonly shortId: ShortId; readonly counted: LinkTraffic } | undefined;

  constructor(read: ReadTraffic) {
    this.#read = read;
  }

  /** What was carried since the first look. `shortId`: that of the neighbour now, if it has one. */
  look(shortId: ShortId | undefined): LinkTraffic | undefined {
    const counted = shortId === undefined ? undefined : this.#read(shortId);
    if (shortId === undefined || counted === undefined) return this.#carried;
    const since = this.#last?.shortId === shortId ? this.#last.counted : counted;
    const more = difference(counted, since);
    this.#carried = this.#carried === undefined ? more : addTraffic(this.#carried, more);
    this.#last = { shortId, counted };
    return this.#carried;
  }
}

/** What was counted between two looks; all of it where counting has begun anew. */
function difference(now: LinkTraffic, before: LinkTraffic): LinkTraffic {
  const isAnew =
    now.sentPackets < before.sentPackets || now.receivedPackets < before.receivedPackets;
  if (isAnew) return now;
  return {
    sentPackets: now.sentPackets - before.sentPackets,
    sentBytes: now.sentBytes - before.sentBytes,
    receivedPackets: now.receivedPackets - before.receivedPackets,
    receivedBytes: now.receivedBytes - before.receivedBytes,
  };
}
