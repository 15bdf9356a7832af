import { pause } from "../base/pause.ts";
import type { World } from "../base/world.ts";
import type { ListedPeer, PeerList } from "./peer-list.ts";
import type { PeerListStore } from "./peer-list-store.ts";

/** How often it is looked whether a lock is gone. */
const lookMs = 1000;

/** A lock that is there longer is of somebody who does not go on. */
const lockedMaxMs = 60_000;

/** A peer that was in a list. */
export interface Enrolment {
  readonly peerName: string;
  /** UID of the list; empty when that is not known. */
  readonly listUid: string;
}

/**
 * Whether a peer that is about to start may go on with the ranges that it remembers: not when it was
 * struck from the list, for others have them then. A list that is another one than it was in, because
 * somebody has removed that, says nothing of it. While somebody is about to take them, this waits: its
 * node is there again, so the other one will leave them, or has them already.
 *
 * @throws WeaveError `K8S_…`; the reason of `signal`
 */
export async function mayGoOn(
  { world, list }: { readonly world: World; readonly list: PeerListStore },
  { peerName, listUid }: Enrolment,
  signal: AbortSignal,
): Promise<boolean> {
  const untilMs = world.monotonicMs() + lockedMaxMs;
  for (;;) {
    const now = await list.read();
    const holder = now.holderOf(peerName);
    if (!now.has(peerName)) return !isSameList(now, listUid);
    if (holder === undefined || holder === peerName || !now.has(holder)) return true;
    if (world.monotonicMs() >= untilMs) {
      world.log.warn(`${holder} takes over what we had, and does not come to an end`);
      return false;
    }
    await pause(world, lookMs, signal);
    signal.throwIfAborted();
  }
}

/** Whoever does not know in which list it was takes the one that there is for it, as the original does. */
function isSameList(now: PeerList, listUid: string): boolean {
  return listUid === "" ? now.uid !== "" : now.uid === listUid;
}

/**
 * Puts a peer into the list, and gives that. From then on its ranges are taken when its node is
 * removed.
 *
 * @throws WeaveError `K8S_…`; the reason of `signal`
 */
export async function register(
  list: PeerListStore,
  self: ListedPeer,
  signal: AbortSignal,
): Promise<PeerList> {
  return list.update((now) => {
    const holder = now.holderOf(self.peerName);
    // Who has struck the holder has left its lock on us.
    const isOrphaned = holder !== undefined && !now.has(holder);
    return (isOrphaned ? now.withoutLock(self.peerName, holder) : now).withPeer(self);
  }, signal);
}
