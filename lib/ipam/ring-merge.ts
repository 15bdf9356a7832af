import { WeaveError } from "../base/errors.ts";
import { formatIpv4, type Ipv4 } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { type AddressRange, equalRanges, formatRange } from "./range.ts";
import { entrySize, type RingEntry, type RingState, raisedVersion } from "./ring-entry.ts";
import { ringFault } from "./ring-invariants.ts";

/**
 * Merging a received ring into ours (ipam §8). Both lists are walked by token; whoever has the
 * higher version is right, and nobody but us gives away addresses that are in use here.
 *
 *   ours      A────────B──────────────────D──────
 *   theirs    A────────B───────C──────────D──────     C splits what B's owner had
 */
export interface MergeContext {
  readonly self: PeerName;
  /** Whether an address of `range` is not free in the local space. */
  isInUse(range: AddressRange): boolean;
  /** `name(nickname)` as error texts show it. */
  describe(peer: PeerName): string;
}

export interface MergedRing {
  readonly entries: readonly RingEntry[];
  readonly seeds: readonly PeerName[];
  /** Whether anything is new. A raised version of an own entry alone is not. */
  readonly changed: boolean;
}

/** Beyond this a ring no longer fits a message of 10 MiB. */
const ringEntriesMax = 1 << 18;
/** More peers than any first ring was divided among: all of them are in every message. */
const seedsMax = 4096;
/** Of more, only the first are named. */
const seedsShownMax = 32;

/**
 * The ring that says what both say; `ours` is not touched.
 *
 * @throws WeaveError `IPAM_RING_INVALID`, `IPAM_RING_SEEDS`, `IPAM_RING_RANGE` or
 *   `IPAM_RING_CONFLICT`, with the original's wording
 */
export function mergeRings(ours: RingState, theirs: RingState, context: MergeContext): MergedRing {
  checkRelated(ours, theirs, context);
  const { entries, changed } = new EntryMerge(ours, theirs, context).run();
  return {
    entries: sound(entries, ours.universe, context.self),
    seeds: seedsOf(ours, theirs),
    changed,
  };
}

/**
 * What can be had of a ring that {@link mergeRings} refused because it disputes ranges of ours: its
 * news about ranges of others, and what it gives us. Our own ranges stay as they are. Returns
 * `undefined` when there is no such news or the result would not be sound.
 */
export function mergeUndisputed(
  ours: RingState,
  theirs: RingState,
  context: MergeContext,
): MergedRing | undefined {
  const { entries, changed } = new EntryMerge(ours, theirs, context, { keepOwn: true }).run();
  const result = clipOwn(entries, ours.universe, context.self);
  if (!changed || ringFault({ entries: result, universe: ours.universe }) !== undefined) {
    return undefined;
  }
  return { entries: result, seeds: seedsOf(ours, theirs), changed };
}

/**
 * Whether two rings are of one cluster.
 *
 * @throws WeaveError `IPAM_RING_INVALID`, `IPAM_RING_SEEDS` or `IPAM_RING_RANGE`
 */
export function checkRelated(ours: RingState, theirs: RingState, context: MergeContext): void {
  const fault = ringFault(theirs);
  if (fault !== undefined) throw invalid(fault);
  if (theirs.seeds.length > seedsMax)
    throw invalid(`Ring was seeded by more than ${seedsMax} peers`);
  checkSeeds(ours.seeds, theirs.seeds, context);
  checkUniverse(ours.universe, theirs.universe);
}

function seedsOf(ours: RingState, theirs: RingState): readonly PeerName[] {
  return ours.seeds.length === 0 ? theirs.seeds : ours.seeds;
}

function checkSeeds(
  ours: readonly PeerName[],
  theirs: readonly PeerName[],
  context: MergeContext,
): void {
  if (ours.length === 0 || theirs.length === 0) return;
  if (ours.length === theirs.length && ours.every((seed, index) => seed === theirs[index])) return;
  const list = (seeds: readonly PeerName[]): string => {
    const shown = seeds.slice(0, seedsShownMax).map(context.describe).join(" ");
    return seeds.length > seedsShownMax ? `${shown} … ${seeds.length} in all` : shown;
  };
  throw new WeaveError(
    "IPAM_RING_SEEDS",
    `IP allocation was seeded by different peers (received: [${list(theirs)}], ours: [${list(ours)}])`,
    {
      remedy:
        "two clusters were formed apart: run 'weave reset' on every peer of the smaller one, " +
        "then launch them again with the peers of the other",
    },
  );
}

function checkUniverse(ours: AddressRange, theirs: AddressRange): void {
  if (equalRanges(ours, theirs)) return;
  throw new WeaveError(
    "IPAM_RING_RANGE",
    `Incompatible IP allocation ranges (received: ${formatRange(theirs)}, ours: ${formatRange(ours)})`,
    { remedy: "launch all peers with the same --ipalloc-range" },
  );
}

function sound(
  entries: readonly RingEntry[],
  universe: AddressRange,
  self: PeerName,
): readonly RingEntry[] {
  const clipped = clipOwn(entries, universe, self);
  const fault = ringFault({ entries: clipped, universe });
  if (fault !== undefined) throw invalid(`Merge of incoming data causes: ${fault}`);
  return clipped;
}

/** A token that arrived inside an own range makes it shorter than its count of free addresses. */
function clipOwn(
  entries: readonly RingEntry[],
  universe: AddressRange,
  self: PeerName,
): readonly RingEntry[] {
  return entries.map((entry, index) => {
    const size = entrySize(entries, index, universe);
    return entry.peer === self && entry.free > size ? { ...entry, free: size } : entry;
  });
}

function invalid(message: string): WeaveError {
  return new WeaveError("IPAM_RING_INVALID", message);
}

function conflict(message: string): WeaveError {
  return new WeaveError("IPAM_RING_CONFLICT", message, {
    remedy:
      "both peers hold addresses in the same range: run 'weave reset' on the one that was removed " +
      "with rmpeer or restored from old data, then launch it again",
  });
}

/** The walk over both lists, with what it remembers between steps. */
class EntryMerge {
  readonly #ours: readonly RingEntry[];
  readonly #theirs: readonly RingEntry[];
  readonly #universe: AddressRange;
  readonly #context: MergeContext;
  readonly #keepOwn: boolean;
  readonly #result: RingEntry[] = [];
  /** Owner of the entry last taken from our list; unknown after one of theirs. */
  #previousOwner: PeerName | undefined;
  #changed = false;
  #at = 0;

  constructor(
    ours: RingState,
    theirs: RingState,
    context: MergeContext,
    options: { keepOwn: boolean } = { keepOwn: false },
  ) {
    this.#ours = ours.entries;
    this.#theirs = theirs.entries;
    this.#universe = ours.universe;
    this.#context = context;
    this.#keepOwn = options.keepOwn;
  }

  run(): { entries: readonly RingEntry[]; changed: boolean } {
    for (const their of this.#theirs) {
      while ((this.#ours[this.#at]?.token ?? Number.POSITIVE_INFINITY) < their.token) this.#keep();
      const our = this.#ours[this.#at];
      if (our?.token === their.token) this.#sameToken(our, their);
      else this.#newToken(their, our);
      if (this.#result.length > ringEntriesMax) {
        throw invalid(`ring has more than ${ringEntriesMax} entries`);
      }
    }
    while (this.#at < this.#ours.length) this.#keep();
    return { entries: this.#result, changed: this.#changed };
  }

  #keep(entry: RingEntry = this.#ours[this.#at]!): void {
    this.#result.push(entry);
    this.#previousOwner = entry.peer;
    this.#at++;
  }

  #take(their: RingEntry): void {
    this.#result.push(their);
    this.#previousOwner = undefined;
    this.#changed = true;
  }

  #newToken(their: RingEntry, next: RingEntry | undefined): void {
    const { self } = this.#context;
    if (this.#keepOwn) {
      if (this.#ownerHere() !== self) this.#take(their);
      return;
    }
    const splitsOurs = this.#previousOwner === self && their.peer !== self;
    // Behind our last entry the original does not ask what is in use, and neither do we: others
    // judge the same ring by the same rule.
    if (splitsOurs && (next === undefined || this.#inUse(their.token, next.token))) {
      throw conflict(
        `Peer ${formatPeerName(their.peer)} says it owns the IP range from ${formatIpv4(their.token)}, which I think I own`,
      );
    }
    this.#take(their);
  }

  #sameToken(our: RingEntry, their: RingEntry): void {
    const isOurs = our.peer === this.#context.self;
    if (our.version > their.version) this.#keep();
    else if (our.version === their.version) this.#sameVersion(our, their);
    else if (!isOurs) this.#replace(their);
    else if (their.peer === our.peer) this.#outbid(our, their);
    else this.#lose(our, their);
  }

  #replace(their: RingEntry): void {
    this.#take(their);
    this.#at++;
  }

  /** An echo of what an earlier life of ours reported: ours is the truth, and must win. */
  #outbid(our: RingEntry, their: RingEntry): void {
    this.#result.push({ ...our, version: raisedVersion(their.version) });
    this.#at++;
  }

  #sameVersion(our: RingEntry, their: RingEntry): void {
    const isOurs = our.peer === this.#context.self;
    if (our.peer !== their.peer && isOurs && !this.#keepOwn && this.#entryInUse(our)) {
      throw conflict(
        `Inconsistent entries for ${formatIpv4(our.token)}: owned by ${formatPeerName(our.peer)} but incoming message says ${formatPeerName(their.peer)}`,
      );
    }
    const mayReplace = our.peer !== their.peer && !(isOurs && this.#keepOwn);
    if (mayReplace && their.free > our.free) this.#replace(their);
    else this.#keep();
  }

  #lose(our: RingEntry, their: RingEntry): void {
    if (this.#keepOwn) {
      this.#keep();
    } else if (this.#entryInUse(our)) {
      throw conflict(
        `Received update for IP range I own at ${formatIpv4(our.token)} v${our.version}: incoming message says owner ${formatPeerName(their.peer)} v${their.version}`,
      );
    } else {
      this.#replace(their);
    }
  }

  #entryInUse(our: RingEntry): boolean {
    return this.#inUse(our.token, this.#ours[this.#at + 1]?.token);
  }

  /** From `token` up to `next` of our list, around the end of the universe if there is none. */
  #inUse(token: Ipv4, next: Ipv4 | undefined): boolean {
    const { isInUse } = this.#context;
    if (next !== undefined) return isInUse({ start: token, end: next });
    return (
      isInUse({ start: token, end: this.#universe.end }) ||
      isInUse({ start: this.#universe.start, end: this.#ours[0]!.token })
    );
  }

  /** Owner, in our list, of a place before its next token; the last entry wraps around. */
  #ownerHere(): PeerName | undefined {
    return (this.#ours[this.#at - 1] ?? this.#ours.at(-1))?.peer;
  }
}
