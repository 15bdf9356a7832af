import type { Picture, PictureLink } from "../../api/picture-models.ts";
import { linkKey } from "./things.ts";

/** What containers send over a link, in bits a second, as the host that serves the page counts it. */
export interface LinkRate {
  readonly sent: number;
  readonly received: number;
}

/** Readings of each link that are kept: some minutes. */
const readingsMax = 120;

interface Reading {
  readonly atMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Makes rates of counters that are read again and again. */
export class TrafficLog {
  #last = new Map<string, Reading>();
  #rates = new Map<string, readonly LinkRate[]>();

  /** @param atMs when it was read, by any clock that does not go back */
  note({ links }: Pick<Picture, "links">, atMs: number): void {
    const [last, rates] = [this.#last, this.#rates];
    this.#last = new Map();
    this.#rates = new Map();
    for (const link of links) {
      const traffic = link.own?.traffic;
      if (traffic === undefined || traffic === null) continue;
      const key = linkKey(link);
      const { sentBytes, receivedBytes } = traffic;
      const now = { atMs, sentBytes, receivedBytes };
      const before = last.get(key);
      this.#last.set(key, now);
      // A link that was made anew counts from nothing.
      const rate = before && rateBetween(before, now);
      const former = rate === undefined ? [] : (rates.get(key) ?? []);
      this.#rates.set(key, rate ? [...former, rate].slice(-readingsMax) : []);
    }
  }

  /** Of links that are counted, by key, the latest last; empty before the second reading. */
  get rates(): ReadonlyMap<string, readonly LinkRate[]> {
    return this.#rates;
  }
}

export type Rates = TrafficLog["rates"];

function rateBetween(before: Reading, now: Reading): LinkRate | undefined {
  const seconds = (now.atMs - before.atMs) / 1000;
  const sent = now.sentBytes - before.sentBytes;
  const received = now.receivedBytes - before.receivedBytes;
  if (seconds <= 0 || sent < 0 || received < 0) return undefined;
  return { sent: (8 * sent) / seconds, received: (8 * received) / seconds };
}

/** Bits a second between the two ends of a link, in the order in which the link names them. */
export interface Flow {
  readonly there: number;
  readonly back: number;
}

export function flowOf(link: PictureLink, self: string, rates: Rates): Flow | undefined {
  const rate = rates.get(linkKey(link))?.at(-1);
  if (rate === undefined) return undefined;
  const isFromSelf = link.from === self;
  return isFromSelf
    ? { there: rate.sent, back: rate.received }
    : { there: rate.received, back: rate.sent };
}

/** Of all links of the host that serves the page. */
export function totalRate(rates: Rates): LinkRate {
  const latest = [...rates.values()].flatMap((each) => each.at(-1) ?? []);
  return {
    sent: latest.reduce((sum, { sent }) => sum + sent, 0),
    received: latest.reduce((sum, { received }) => sum + received, 0),
  };
}

/** `12.3 Mbit/s`. */
export function rateText(bitsPerSecond: number): string {
  return withPrefix(bitsPerSecond, "bit/s");
}

/** `12.3 MB`. */
export function octetsText(octets: number): string {
  return withPrefix(octets, "B");
}

const prefixes = ["", "k", "M", "G", "T", "P"];

/** Three digits, with prefixes of SI. */
function withPrefix(amount: number, unit: string): string {
  let [value, at] = [amount, 0];
  // 999.5 would be written with four digits.
  while (value >= 999.5 && at < prefixes.length - 1) [value, at] = [value / 1000, at + 1];
  const digits = at === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${prefixes[at]}${unit}`;
}
