import type { PeerName } from "../base/peer-name.ts";
import { type Entry, identityOf, isOver, supersedes, withState } from "./entry.ts";
import type { EntryStore } from "./entry-store.ts";

/**
 * The receiving rules (dns §4, steps 3 to 5): what a message from another peer does to the table.
 * Merging is idempotent, its order does not matter, and no version ever goes down.
 */
export interface MergeOutcome {
  /** What was new to us: relayed when it came by periodic gossip. */
  readonly fresh: readonly Entry[];
  /** Everything, as corrected: relayed when it came by broadcast. */
  readonly passOn: readonly Entry[];
  /** Entries under our name that we had to correct: to be broadcast by us. */
  readonly corrections: readonly Entry[];
  /** Entries that found the table full. */
  readonly refused: number;
}

export interface MergeContext {
  readonly self: PeerName;
  /** Unix seconds. */
  readonly nowS: number;
}

export function mergeEntries(
  store: EntryStore,
  incoming: Iterable<Entry>,
  context: MergeContext,
): MergeOutcome {
  const fresh: Entry[] = [];
  const corrections: Entry[] = [];
  const passOn: Entry[] = [];
  let refused = 0;
  for (const received of latestStates(incoming)) {
    const entry = received.origin === context.self ? correct(store, received, context) : received;
    if (entry !== received) corrections.push(entry);
    passOn.push(entry);
    const known = store.get(entry);
    if (known !== undefined && !supersedes(entry, known)) continue;
    // Peers forget tombstones at different times: each would have them back from the others for ever.
    if (known === undefined && isOver(entry, context.nowS)) continue;
    if (store.put(entry)) fresh.push(entry);
    else refused++;
  }
  return { fresh, passOn, corrections, refused };
}

/** A message may repeat an identity, though no peer should send such: the latest state counts. */
function latestStates(entries: Iterable<Entry>): Iterable<Entry> {
  const latest = new Map<string, Entry>();
  for (const entry of entries) {
    const identity = identityOf(entry);
    const other = latest.get(identity);
    if (other === undefined || supersedes(entry, other)) latest.set(identity, entry);
  }
  return latest.values();
}

/**
 * What others hold of our own names may stem from an earlier life of this peer. We alone know what
 * is true: our state wins with a higher version, and live names we do not have are deleted.
 */
function correct(store: EntryStore, entry: Entry, { nowS }: MergeContext): Entry {
  const ours = store.get(entry);
  if (ours === undefined) {
    return entry.tombstone === 0 ? withState(entry, entry.version + 1, nowS) : entry;
  }
  const overtaken =
    ours.version < entry.version ||
    (ours.version === entry.version && ours.tombstone !== entry.tombstone);
  return overtaken ? withState(entry, entry.version + 1, ours.tombstone) : entry;
}
