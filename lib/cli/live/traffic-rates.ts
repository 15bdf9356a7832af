import type { NetworkReading } from "./network-reading.ts";
import { ownLinks } from "./own-links.ts";

/** Octets a second of containers' frames, before encapsulation. */
export interface Rate {
  readonly sent: number;
  readonly received: number;
}

/** What went over the links of this host between two readings. */
export interface TrafficRates {
  /** By address; only links that were counted in both readings. */
  readonly byLink: ReadonlyMap<string, Rate>;
  /** Undefined where nothing was counted. */
  readonly total: Rate | undefined;
}

/** A link that was made anew in between counts from 0 again, and so has no rate. */
export function ratesBetween(before: NetworkReading, after: NetworkReading): TrafficRates {
  const seconds = (after.atMs - before.atMs) / 1000;
  const known = new Map(ownLinks(before).map((link) => [link.address, link]));
  const byLink = new Map<string, Rate>();
  for (const { address, since, traffic } of ownLinks(after)) {
    const former = known.get(address);
    if (traffic === undefined || former?.traffic === undefined || seconds <= 0) continue;
    const sent = (traffic.sentBytes - former.traffic.sentBytes) / seconds;
    const received = (traffic.receivedBytes - former.traffic.receivedBytes) / seconds;
    if (since !== former.since || sent < 0 || received < 0) continue;
    byLink.set(address, { sent, received });
  }
  return { byLink, total: byLink.size === 0 ? undefined : sumOf([...byLink.values()]) };
}

function sumOf(rates: readonly Rate[]): Rate {
  return {
    sent: rates.reduce((sum, { sent }) => sum + sent, 0),
    received: rates.reduce((sum, { received }) => sum + received, 0),
  };
}
