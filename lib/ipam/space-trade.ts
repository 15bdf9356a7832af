import type { PeerName } from "../base/peer-name.ts";
import type { World } from "../base/world.ts";
import type { AllocatorPeers } from "./allocator-config.ts";
import { chooseDonation } from "./donation.ts";
import type { Ledger } from "./ledger.ts";
import type { Nicknames } from "./nicknames.ts";
import type { Outbox } from "./outbox.ts";
import { type AddressRange, formatRange } from "./range.ts";
import type { Council } from "./reclaim-council.ts";
import { SpaceRequests } from "./space-requests.ts";
import { encodeUnicast } from "./unicast-codec.ts";

interface SpaceTradeParts {
  readonly world: World;
  readonly peers: AllocatorPeers;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly council: Pick<Council, "mayGiveTo" | "usable">;
  readonly nicknames: Nicknames;
  /** Tells a peer all that we know of the ring. */
  sendRing(to: PeerName): void;
}

/**
 * Asking others for space, and giving it to those who ask (ipam §11):
 *
 *   ask ──space request──▶ give ─┬─ a part of it ──▶ ring update
 *                                └─ nothing ──▶ denial, ring update
 *
 * It changes the ledger and fills the outbox; it sends and stores nothing.
 */
export class SpaceTrade {
  readonly #parts: SpaceTradeParts;
  readonly #requests = new SpaceRequests();

  constructor(parts: SpaceTradeParts) {
    this.#parts = parts;
  }

  /** Who has not answered. */
  get awaited(): PeerName[] {
    return this.#requests.awaited;
  }

  /** An answer that has not come since the last call is taken for lost. */
  tick(): void {
    this.#requests.forgetOutstanding();
  }

  /** Asks `peer` for `range`; false when there is no way to it. */
  ask(peer: PeerName, range: AddressRange): boolean {
    const { peers, outbox } = this.#parts;
    if (!peers.canReach(peer)) return false;
    if (this.#requests.isOutstanding(range)) return true;
    this.#requests.asked(peer, range);
    outbox.unicast(peer, encodeUnicast({ kind: "space-request", range }));
    return true;
  }

  /** Asks the first promising donor that can be reached, unless an answer is under way. */
  askDonors(range: AddressRange): void {
    const { world, ledger } = this.#parts;
    if (this.#requests.isOutstanding(range)) return;
    const nowMs = world.monotonicMs();
    for (const { peer, free } of ledger.ring.donors(range, world.random)) {
      if (!this.#requests.isWorthAsking(peer, range, free, nowMs)) continue;
      if (this.ask(peer, range)) return;
    }
  }

  /** The end of an answer to the oldest question to `peer`. */
  answered(peer: PeerName): void {
    this.#requests.answered(peer);
  }

  /** `peer` has nothing for us in `range`. */
  denied(peer: PeerName, range: AddressRange): void {
    const { world, ledger } = this.#parts;
    const donors = ledger.ring.donors(range, world.random);
    const free = donors.find((donor) => donor.peer === peer)?.free ?? 0;
    this.#requests.denied(peer, range, free, world.monotonicMs());
  }

  /** Somebody asks for space (ipam §11.2): a part of `range`, or a denial, and always our ring. */
  give(to: PeerName, range: AddressRange): void {
    const { world, ledger, outbox, council, nicknames, sendRing } = this.#parts;
    if (!ledger.hasRing) return;
    if (!council.mayGiveTo(to)) {
      // No denial: it will be a member soon, or the council ends, and it asks again.
      sendRing(to);
      return;
    }
    const block = chooseDonation(ledger.space.free.intersection(council.usable()), range);
    if (block === undefined) {
      outbox.unicast(to, encodeUnicast({ kind: "space-denied", range }));
    } else {
      world.log.debug(`[allocator] giving ${formatRange(block)} to ${nicknames.describe(to)}`);
      ledger.grant(block, to);
      outbox.broadcast();
    }
    sendRing(to);
  }
}
