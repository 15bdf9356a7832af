import type { Picture, PictureLink, PictureLinkEnd } from "../../api/picture-models.ts";
import { linkKey } from "./things.ts";

/** Bits a second that containers send between the two ends of a link, as the link names them. */
export interface Flow {
  readonly there: number;
  readonly back: number;
}

/** Readings of each link of this host that are kept: some minutes … */
const readingsMax = 120;
/** … and of links of others, which are told of less often. */
const toldReadingsMax = 24;

type Traffic = NonNullable<PictureLinkEnd["traffic"]>;

/** Counts of one end at one moment, by a clock that does not go back. */
interface Reading {
  readonly atMs: number;
  readonly end: "from" | "to";
  readonly traffic: Traffic;
}

/** Makes rates of counters that are read again and again. */
export class TrafficLog {
  #last = new Map<string, Reading>();
  #rates = new Map<string, readonly Flow[]>();

  /** @param atMs when it was read, by any clock that does not go back */
  note(picture: Pick<Picture, "links" | "peers" | "self">, atMs: number): void {
    const [last, rates] = [this.#last, this.#rates];
    this.#last = new Map();
    this.#rates = new Map();
    const countedMs = new Map(picture.peers.map(({ name, told }) => [name, told?.countedMs]));
    countedMs.set(picture.self, atMs);
    for (const link of picture.links) {
      const key = linkKey(link);
      const before = last.get(key);
      const now = readingOf(link, picture.self, countedMs, before?.end);
      if (now === undefined) continue;
      this.#last.set(key, now);
      const former = rates.get(key) ?? [];
      if (before?.end === now.end && before.atMs === now.atMs) {
        this.#rates.set(key, former);
        continue;
      }
      const rate = before && flowBetween(before, now);
      const max = link.own === undefined ? toldReadingsMax : readingsMax;
      // A link that was made anew counts from nothing.
      this.#rates.set(key, rate ? [...former, rate].slice(-max) : []);
    }
  }

  /** Of links that are counted, by key, the latest last; empty before the second reading. */
  get rates(): ReadonlyMap<string, readonly Flow[]> {
    return this.#rates;
  }
}

export type Rates = TrafficLog["rates"];

/** What one end counts: this host's, or the one that was listened to before, or any that tells. */
function readingOf(
  { from, to, own, ends }: PictureLink,
  self: string,
  countedMs: ReadonlyMap<string, number | undefined>,
  before: Reading["end"] | undefined,
): Reading | undefined {
  const tried =
    own === undefined ? [before ?? "from", "from", "to"] : [from === self ? "from" : "to"];
  for (const end of tried as Reading["end"][]) {
    const traffic = ends[end]?.traffic;
    const atMs = countedMs.get(end === "from" ? from : to);
    if (traffic && atMs !== undefined) return { atMs, end, traffic };
  }
  return undefined;
}

function flowBetween(before: Reading, now: Reading): Flow | undefined {
  const seconds = (now.atMs - before.atMs) / 1000;
  const sent = now.traffic.sentBytes - before.traffic.sentBytes;
  const received = now.traffic.receivedBytes - before.traffic.receivedBytes;
  if (before.end !== now.end || seconds <= 0 || sent < 0 || received < 0) return undefined;
  const [out, back] = [(8 * sent) / seconds, (8 * received) / seconds];
  return now.end === "from" ? { there: out, back } : { there: back, back: out };
}

/** The latest; missing where nothing counts, or not yet. */
export function flowOf(link: PictureLink, rates: Rates): Flow | undefined {
  return rates.get(linkKey(link))?.at(-1);
}

/** What one host sends and gets, in bits a second. */
export interface HostRate {
  readonly sent: number;
  readonly received: number;
}

/** The same as one of both ends has it. */
export function rateAt(end: string, { from }: PictureLink, { there, back }: Flow): HostRate {
  return from === end ? { sent: there, received: back } : { sent: back, received: there };
}

/** Of all links of the host that serves the page; missing where none is counted there, or not yet. */
export function totalRate({ links, self }: Picture, rates: Rates): HostRate | undefined {
  const latest = links.flatMap((link) => {
    const flow = link.own === undefined ? undefined : flowOf(link, rates);
    return flow === undefined ? [] : rateAt(self, link, flow);
  });
  if (latest.length === 0) return undefined;
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
