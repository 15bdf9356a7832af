import { formatIpv4 } from "../../base/ip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { Bundle } from "../../incident/bundle.ts";
import type { OwnerChange } from "../../incident/owner-changes.ts";
import { type Cast, readIpv4, readPeer, readTime } from "./cast.ts";

/** Two peers by number. */
export type Pair = readonly [number, number];

/** What happened; `moved`: addresses have another owner. What is only told changes nothing. */
export type Change =
  | { readonly kind: "linked" | "parted" | "unseen"; readonly pair: Pair }
  | { readonly kind: "stopped" | "started"; readonly peer: number }
  | {
      readonly kind: "moved";
      readonly from: number | undefined;
      readonly to: number;
      readonly range: OwnerChange<PeerName>;
    }
  | { readonly kind: "told" };

/** Things that happened at once, as far as anybody can tell. */
export interface Moment {
  /** Wall clock of the observer, milliseconds since 1970. */
  readonly atMs: number;
  readonly changes: readonly (Change & { readonly text: string })[];
}

/** What follows within this time belongs to the same moment. */
const momentMs = 2000;
/** A peer that appears is heard of with the links that it has. */
const introductionMs = 5000;

/** Events that say why; what they mean for links and ranges is told by the records. */
const toldKinds: ReadonlySet<string> = new Set([
  ...["link.lost", "gossip.refused", "host.mended", "ring.conflict", "ring.split"],
  ...["range.takenOver", "peer.removed", "target.added", "target.forgotten"],
]);

interface Entry {
  readonly atMs: number;
  readonly change: Change & { readonly text: string };
}

export function pairKey([a, b]: Pair): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** The last `changesMax` changes of a bundle in the order of time, and how many there were before. */
export function momentsOf(
  bundle: Bundle,
  cast: Cast,
  changesMax: number,
): { readonly moments: Moment[]; readonly skipped: number } {
  const entries = [
    ...eventEntries(bundle, cast),
    ...topologyEntries(bundle, cast),
    ...ownerEntries(bundle, cast),
  ];
  // Stable: what an event says comes before what became of it.
  const ordered = entries.sort((a, b) => a.atMs - b.atMs);
  const kept = ordered.slice(-changesMax);
  const moments: { atMs: number; changes: Entry["change"][] }[] = [];
  for (const { atMs, change } of kept) {
    const last = moments.at(-1);
    if (last !== undefined && atMs - last.atMs < momentMs) last.changes.push(change);
    else moments.push({ atMs, changes: [change] });
  }
  return { moments, skipped: ordered.length - kept.length };
}

/** Before the recorder ran, only what befell the host's own links is known. */
function eventEntries({ events, history, report }: Bundle, cast: Cast): Entry[] {
  const sinceMs = readTime(history.since);
  const self = cast.number(readPeer(report.Router.Name))!;
  return events.flatMap(({ at, kind, details }, index): Entry[] => {
    const atMs = readTime(at);
    const entry = (change: Change, text: string): Entry[] => [
      { atMs, change: { ...change, text } },
    ];
    const name = cast.label(self);
    if (kind === "router.stopping") return entry({ kind: "stopped", peer: self }, `${name} stops`);
    // Who began with that was not there before, or in a run of which nothing is known.
    if (kind === "router.started" && index === 0) return entry({ kind: "told" }, `${name} starts`);
    if (kind === "router.started") return entry({ kind: "started", peer: self }, `${name} starts`);
    if (atMs < sinceMs && (kind === "link.lost" || kind === "link.established")) {
      const other =
        typeof details.peer === "string" ? cast.number(readPeer(details.peer)) : undefined;
      if (other === undefined || other === self) return [];
      const change = kind === "link.lost" ? "parted" : "linked";
      return entry({ kind: change, pair: [self, other] }, pairText(cast, change, [self, other]));
    }
    if (!toldKinds.has(kind)) return [];
    return entry({ kind: "told" }, `${name} tells ${kind}${detailsText(details)}`);
  });
}

function topologyEntries({ history, report }: Bundle, cast: Cast): Entry[] {
  const self = cast.number(readPeer(report.Router.Name))!;
  const appearedMs = new Map<number, number>();
  const parted = new Set<string>();
  return history.topology.flatMap(({ at, change, peers }): Entry[] => {
    const atMs = readTime(at);
    const [first, second] = peers.map((peer) => cast.number(readPeer(peer))!);
    if (first === undefined) return [];
    const entry = (made: Change, text: string): Entry[] => [{ atMs, change: { ...made, text } }];
    if (change === "appeared" || change === "gone") {
      if (change === "appeared") appearedMs.set(first, atMs);
      if (first === self) return [];
      const how = change === "appeared" ? "comes into sight" : "is out of sight";
      return entry({ kind: "told" }, `${cast.label(first)} ${how} of ${cast.label(self)}`);
    }
    if (second === undefined || first === second) return [];
    const pair: Pair = [first, second];
    const isNew = pair.some((peer) => atMs - (appearedMs.get(peer) ?? 0) < introductionMs);
    const wasParted = parted.delete(pairKey(pair));
    if (change === "parted") parted.add(pairKey(pair));
    // It was there before anybody told of it.
    if (change === "linked" && isNew && !wasParted && !pair.includes(self)) return [];
    return entry({ kind: change, pair }, pairText(cast, change, pair));
  });
}

function pairText(cast: Cast, change: "linked" | "parted" | "unseen", [a, b]: Pair): string {
  const how = { linked: "are linked", parted: "are parted", unseen: "went out of sight together" };
  return `${cast.label(a)} and ${cast.label(b)} ${how[change]}`;
}

/** Ranges that nobody had before were those of the first ring, or read from a disk. */
function ownerEntries({ history }: Bundle, cast: Cast): Entry[] {
  return history.owners.flatMap(({ at, first, size, from, to }): Entry[] => {
    if (from === null || to === null) return [];
    const [giver, taker] = [readPeer(from), readPeer(to)];
    const number = cast.number(taker);
    if (number === undefined) return [];
    const range = { first: readIpv4(first), size, from: giver, to: taker };
    const text = `${cast.nickname(taker)} has ${size} addresses of ${cast.nickname(giver)} from ${formatIpv4(range.first)} on`;
    const change = { kind: "moved", from: cast.number(giver), to: number, range } as const;
    return [{ atMs: readTime(at), change: { ...change, text } }];
  });
}

function detailsText(details: Readonly<Record<string, unknown>>): string {
  const who = details.nickname ? "nickname" : "peer";
  const words = [who, "reason", "what", "addresses", "peers"].flatMap((name) => {
    const value = details[name];
    if (typeof value === "string" || typeof value === "number") return [`${value}`];
    return Array.isArray(value) ? [value.join(" ")] : [];
  });
  return words.length === 0 ? "" : `: ${words.join(", ").slice(0, 300)}`;
}
