import type { PeerName } from "../base/peer-name.ts";
import type { AddressRange } from "./range.ts";

/** A peer with the number of its disk: whoever lost its disk forgot its promises and is another. */
export interface Member {
  readonly peer: PeerName;
  /** Random, 48 bits, drawn when the peer first stores anything; 0 for one that has left. */
  readonly incarnation: number;
}

/**
 * What the council decided last: who belongs to it, and whose ranges were taken.
 *
 *   epoch 0 ──all owners agree──▶ 1 ──majority──▶ 2 ──majority──▶ …     one decree an epoch
 *
 * A decree stands for all before it, so whoever was away learns the last one only.
 */
export interface Decree {
  readonly epoch: number;
  /** The last epoch that took a member away; voters wait for a while after it. */
  readonly removalEpoch: number;
  /** Silence after which the ranges of a member may be taken, milliseconds. */
  readonly afterMs: number;
  /** Whoever gets the ranges that this decree takes. */
  readonly heir: PeerName;
  /** Ascending by name. Empty while there is no council: nothing is taken, nobody needs a lease. */
  readonly roster: readonly Member[];
  /** Whose ranges were taken and when, oldest first; at most {@link takenMax}. */
  readonly taken: readonly Taking[];
  /** Takings up to this epoch may be missing from the list. */
  readonly forgottenEpoch: number;
  /**
   * What the heir gets by this decree, ascending and apart: a part of what is decided, since members
   * that bring the decree to its end may not know the same of those whose ranges are taken.
   */
  readonly moved: readonly AddressRange[];
}

/** A peer that was found gone, with the epoch of the decree that said so. */
export interface Taking {
  readonly peer: PeerName;
  readonly epoch: number;
}

/** The state before any council: everything works as it does without one. */
export const noDecree: Decree = {
  epoch: 0,
  removalEpoch: 0,
  afterMs: 0,
  heir: 0 as PeerName,
  roster: [],
  taken: [],
  forgottenEpoch: 0,
  moved: [],
};

/** Fewer cannot lose one and still have a majority. */
export const rosterMin = 3;
export const rosterMax = 4096;
export const takenMax = 1024;

export function memberOf(decree: Decree, peer: PeerName): Member | undefined {
  return decree.roster.find((member) => member.peer === peer);
}

/** More than half. */
export function majorityOf(size: number): number {
  return Math.floor(size / 2) + 1;
}

/** Peers whose ranges were taken after `current` and up to `next`, as far as that is remembered. */
export function newlyTaken(current: Decree, next: Decree): PeerName[] {
  return next.taken.filter(({ epoch }) => epoch > current.epoch).map(({ peer }) => peer);
}

/** Whether the ranges of `peer` were taken after `current`; so it is if nobody remembers. */
export function wasTaken(current: Decree, next: Decree, peer: PeerName): boolean {
  if (memberOf(current, peer) === undefined) return false;
  return next.forgottenEpoch > current.epoch || newlyTaken(current, next).includes(peer);
}

/**
 * Whose ranges `next` gives to its heir: of those that it takes, and of those taken before of whom
 * something was left behind.
 */
export function forfeiters(current: Decree, next: Decree): PeerName[] {
  const taken = newlyTaken(current, next);
  if (taken.length === 0) return [];
  return next.taken
    .map(({ peer }) => peer)
    .filter((peer) => taken.includes(peer) || memberOf(next, peer) === undefined);
}

/** How a decree follows from another: members come, and members go with or without their ranges. */
export interface RosterChange {
  readonly heir: PeerName;
  readonly afterMs: number;
  readonly admitted: readonly Member[];
  readonly taken: readonly PeerName[];
  /** Ends the council. */
  readonly dissolved: boolean;
}

export function follow(current: Decree, change: RosterChange): Decree {
  const epoch = current.epoch + 1;
  const admitted = new Set(change.admitted.map(({ peer }) => peer));
  const taken = new Set(change.taken);
  const stays = ({ peer }: Member): boolean => !taken.has(peer) && !admitted.has(peer);
  const roster = [...current.roster.filter(stays), ...change.admitted];
  const isOver = change.dissolved || roster.length < rosterMin;
  const replacesSomebody = current.roster.some(({ peer }) => admitted.has(peer));
  const removes = isOver || taken.size > 0 || replacesSomebody;
  const takings = [...current.taken, ...change.taken.map((peer) => ({ peer, epoch }))];
  const remembered = takings.slice(-takenMax);
  const lastForgotten = takings[takings.length - remembered.length - 1];
  return {
    epoch,
    removalEpoch: removes ? epoch : current.removalEpoch,
    afterMs: change.afterMs,
    heir: change.heir,
    roster: isOver ? [] : roster.sort((a, b) => a.peer - b.peer),
    taken: remembered,
    forgottenEpoch: lastForgotten?.epoch ?? current.forgottenEpoch,
    moved: [],
  };
}
