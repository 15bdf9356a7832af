import type { Ipv4, Ipv4Cidr } from "../../base/ip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { Bundle } from "../../incident/bundle.ts";
import { type OwnedRange, withoutChange } from "../../incident/owner-changes.ts";
import { invalidBundle } from "../../incident/read-bundle.ts";
import { cidrRange } from "../../ipam/range.ts";
import { Cast, readIpv4, readPeer, readRange } from "./cast.ts";
import { type Change, type Moment, momentsOf, type Pair, pairKey } from "./moments.ts";

/** What can be replayed: how it was in the beginning, and what happened then. */
export interface Script {
  readonly cast: Cast;
  /** Whose bundle it is. */
  readonly observer: number;
  /** Who dials whom in the beginning. */
  readonly links: readonly Pair[];
  /** Who dials whom, of all links that there ever are, by {@link pairKey}. */
  readonly diallers: ReadonlyMap<string, Pair>;
  /** Missing when allocation was off. */
  readonly ring: { readonly universe: Ipv4Cidr; readonly ranges: readonly RingRange[] } | undefined;
  readonly domain: string | undefined;
  readonly names: readonly RegisteredName[];
  readonly moments: readonly Moment[];
  /** How it was when the bundle was made, as that tells it. */
  readonly endLinks: ReadonlySet<string>;
  /** What the bundle cannot say, or what is replayed in another way: a sentence each. */
  readonly notes: readonly string[];
}

export interface RingRange extends OwnedRange<PeerName> {
  readonly version: number;
}

export interface RegisteredName {
  readonly peer: number;
  readonly hostname: string;
  readonly address: Ipv4;
  readonly container: string;
}

/** Changes before the last so many are part of the beginning. */
const changesMax = 1000;
const namesMax = 2000;

/**
 * Reads a bundle backwards: from how everything was in the end to how it was in the beginning.
 *
 * @throws WeaveError `BUNDLE_INVALID`, `BUNDLE_PEERS`
 */
export function scriptOf(bundle: Bundle): Script {
  const cast = new Cast(bundle);
  const observer = cast.number(readPeer(bundle.report.Router.Name))!;
  const { moments, skipped } = momentsOf(bundle, cast, changesMax);
  const changes = moments.flatMap((moment) => moment.changes);
  const diallers = diallersOf(bundle, cast);
  const dial = ([a, b]: Pair): Pair => diallers.get(pairKey([a, b])) ?? [a, b];
  const endLinks = new Map([...linksOf(bundle, cast)].map((pair) => [pairKey(pair), pair]));
  const { names, dropped } = namesOf(bundle, cast);
  const ring = ringBefore(bundle, changes);
  const hasRing = (ring?.ranges.length ?? 0) > 0;
  return {
    ...{ cast, observer, moments, diallers, names },
    links: [...linksBefore(endLinks, changes).values()].map(dial),
    endLinks: new Set(endLinks.keys()),
    ring,
    domain: bundle.report.DNS?.Domain,
    notes: notesOf(bundle, { cast, changes, hasRing, skipped, dropped }),
  };
}

/** Established in the eyes of both, or of the one that tells of it. */
function linksOf({ report }: Bundle, cast: Cast): Pair[] {
  const told = new Map<string, boolean>();
  const peers = report.Router.Peers ?? [];
  const tellers = new Set(peers.filter(({ Connections }) => Connections).map(({ Name }) => Name));
  for (const { Name, Connections } of peers) {
    for (const { Name: other, Established } of Connections ?? []) {
      if (Established) told.set(`${Name} ${other}`, true);
    }
  }
  return [...told.keys()].flatMap((key): Pair[] => {
    const [a, b] = key.split(" ") as [string, string];
    const [from, to] = [cast.number(readPeer(a)), cast.number(readPeer(b))];
    const isBoth = !tellers.has(b) || told.has(`${b} ${a}`);
    return from !== undefined && to !== undefined && from !== to && isBoth ? [[from, to]] : [];
  });
}

function diallersOf({ report }: Bundle, cast: Cast): Map<string, Pair> {
  const diallers = new Map<string, Pair>();
  for (const { Name, Connections } of report.Router.Peers ?? []) {
    for (const { Name: other, Outbound } of Connections ?? []) {
      const [from, to] = [cast.number(readPeer(Name)), cast.number(readPeer(other))];
      if (!Outbound || from === undefined || to === undefined) continue;
      diallers.set(pairKey([from, to]), [from, to]);
    }
  }
  return diallers;
}

function linksBefore(
  end: ReadonlyMap<string, Pair>,
  changes: readonly Change[],
): Map<string, Pair> {
  const links = new Map(end);
  for (const change of changes.toReversed()) {
    if (change.kind === "linked") links.delete(pairKey(change.pair));
    // What went out of sight was there, and nothing is done about it.
    if (change.kind === "parted" || change.kind === "unseen") {
      links.set(pairKey(change.pair), change.pair);
    }
  }
  return links;
}

/** @throws WeaveError `BUNDLE_INVALID` */
function ringBefore({ report: { IPAM } }: Bundle, changes: readonly Change[]): Script["ring"] {
  if (IPAM === undefined) return undefined;
  const universe = readRange(IPAM.Range);
  const versions = new Map<Ipv4, number>();
  let ranges: readonly OwnedRange<PeerName>[] = (IPAM.Entries ?? []).map((entry) => {
    const first = readIpv4(entry.Token);
    versions.set(first, entry.Version);
    return { first, size: entry.Size, owner: readPeer(entry.Peer) };
  });
  if (!covers(ranges, universe)) return { universe, ranges: [] };
  for (const change of changes.toReversed()) {
    if (change.kind === "moved") ranges = withoutChange(ranges, change.range);
  }
  if (!covers(ranges, universe)) throw invalidBundle("ranges came from where there are none");
  const version = (first: Ipv4): number => versions.get(first) ?? 1;
  return { universe, ranges: ranges.map((range) => ({ ...range, version: version(range.first) })) };
}

/** Whether every address of the universe is in one range, and no other is. */
function covers(ranges: readonly OwnedRange<PeerName>[], universe: Ipv4Cidr): boolean {
  const { start, end } = cidrRange(universe);
  let next = start;
  for (const { first, size } of ranges) {
    if (first !== next || size < 1 || !Number.isInteger(size)) return false;
    next = first + size;
  }
  return next === end;
}

function namesOf({ report: { DNS } }: Bundle, cast: Cast) {
  const live = (DNS?.Entries ?? []).filter(({ Tombstone }) => Tombstone === 0);
  const names = live.slice(0, namesMax).flatMap((entry): RegisteredName[] => {
    const peer = cast.number(readPeer(entry.Origin));
    const address = readIpv4(entry.Address);
    const { Hostname: hostname, ContainerID: container } = entry;
    return peer === undefined ? [] : [{ peer, hostname, address, container }];
  });
  return { names, dropped: live.length - names.length };
}

function notesOf(
  { history, report, removed }: Bundle,
  found: {
    cast: Cast;
    changes: readonly Change[];
    hasRing: boolean;
    skipped: number;
    dropped: number;
  },
): string[] {
  const { cast, changes, skipped, dropped } = found;
  const entries = report.IPAM?.Entries ?? [];
  const isRingWhole = found.hasRing || entries.length === 0;
  const owners = entries.map(({ Peer }) => readPeer(Peer));
  const strangers = new Set(owners.filter((owner) => cast.number(owner) === undefined));
  const left = removed.leftOut.filter(({ what }) => what.startsWith("history."));
  return [
    `${cast.nickname(readPeer(report.Router.Name))} recorded since ${history.since}: what it did not hear of is not in it, and what it heard is as late as the news`,
    ...(changes.some(({ kind }) => kind === "parted")
      ? [
          "whether a host died or its cable did looks the same from here: links are cut, processes go on",
        ]
      : []),
    ...(changes.some(({ kind }) => kind === "unseen")
      ? [
          "what happened among peers that were out of sight is not known: their links stay as they were",
        ]
      : []),
    ...(isRingWhole ? [] : ["the ring in it is not whole, so peers make a new one"]),
    ...(skipped > 0 ? [`the first ${skipped} changes are part of the beginning`] : []),
    ...(dropped > 0 ? [`${dropped} names are not replayed`] : []),
    ...[...strangers].map(
      (owner) => `of ${cast.nickname(owner)} only its ranges are known: it is not there`,
    ),
    ...left.map(
      ({ what, count }) => `${count} older records of ${what} were left out of the bundle`,
    ),
  ];
}
