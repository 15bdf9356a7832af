import { WeaveError } from "../base/errors.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { AllocatorState } from "./allocator-store.ts";
import type { HeldAddress } from "./held-addresses.ts";
import { type AddressRange, equalRanges, formatRange } from "./range.ts";
import type { RingState } from "./ring-entry.ts";
import { ringFault } from "./ring-invariants.ts";

/** What to make of stored data (ipam §15). */
export interface Recovery {
  /** The ring to go on with, if there is one. */
  readonly ring: RingState | undefined;
  /** Held addresses that belong to that ring. */
  readonly held: readonly HeldAddress[];
  /** Held addresses to be claimed anew, since the ring that they belonged to is gone. */
  readonly carried: readonly HeldAddress[];
  /** Whether the stored data is to be replaced. */
  readonly reset: boolean;
  /** Whether the ring now covers more than what was stored. */
  readonly isGrown: boolean;
  /** For the log. */
  readonly notes: readonly string[];
}

/**
 * Decides what of `stored` is still good. A range that contains the stored one keeps everything: the
 * last owner gets what was added. Any other range ends the ownership, but no holder loses its
 * address over it.
 *
 * @throws WeaveError `IPAM_STATE_INVALID` for a ring that no peer could have stored
 */
export function recover(
  stored: AllocatorState | undefined,
  self: PeerName,
  universe: AddressRange,
): Recovery {
  if (stored === undefined) return discard([], "No valid persisted data");
  if (stored.self !== self) {
    return discard([], `Deleting persisted data for peername ${formatPeerName(stored.self)}`);
  }
  const { ring, held } = stored;
  if (ring === undefined || ring.entries.length === 0) {
    return discard(held, "No valid persisted data");
  }
  checkStored(ring);
  if (equalRanges(ring.universe, universe)) {
    return { ring, held, carried: [], reset: false, isGrown: false, notes: [] };
  }
  const ranges = `${formatRange(ring.universe)}; our range is ${formatRange(universe)}`;
  if (universe.start <= ring.universe.start && universe.end >= ring.universe.end) {
    const notes = [`Growing IPAM range ${ranges}; launch every peer with it`];
    return { ring: { ...ring, universe }, held, carried: [], reset: false, isGrown: true, notes };
  }
  return discard(held, `Deleting persisted data for IPAM range ${ranges}`);
}

function discard(carried: readonly HeldAddress[], note: string): Recovery {
  return { ring: undefined, held: [], carried, reset: true, isGrown: false, notes: [note] };
}

function checkStored(ring: RingState): void {
  const fault = ringFault(ring);
  if (fault === undefined) return;
  throw new WeaveError("IPAM_STATE_INVALID", `the stored IP allocation data is damaged: ${fault}`, {
    remedy: "restore the database from a backup, or start afresh with 'weave reset'",
  });
}
