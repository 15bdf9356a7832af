import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { HeldAddress } from "./held-addresses.ts";
import type { AddressRange } from "./range.ts";
import type { AcceptorState } from "./reclaim-acceptor.ts";
import type { Decree } from "./reclaim-decree.ts";
import type { StoredWitness } from "./reclaim-witness.ts";
import type { RingState } from "./ring-entry.ts";

/** What an allocator remembers from one run to the next (ipam §15). */
export interface AllocatorState {
  /** The peer whose data this is. */
  readonly self: PeerName;
  readonly ring: RingState | undefined;
  /** In the order in which the addresses were acquired. */
  readonly held: readonly HeldAddress[];
  /** Absent as long as automatic reclaim was never on. */
  readonly council?: StoredCouncil | undefined;
}

/** What a member must not forget, or it is another member. */
export interface StoredCouncil {
  readonly incarnation: number;
  readonly decree: Decree;
  readonly acceptor: AcceptorState;
  /** Wall clock of the last lease, milliseconds since the epoch; 0 for none. */
  readonly leaseWallMs: number;
  /** What a majority knew to be ours. */
  readonly confirmed: readonly AddressRange[];
  readonly witness: StoredWitness;
}

/** What one action changed, to be stored whole or not at all. */
export interface AllocatorChange {
  readonly self: PeerName;
  /** Forget everything stored before applying the rest. */
  readonly reset: boolean;
  /** The ring, when it is to be stored anew. */
  readonly ring: RingState | undefined;
  /** Addresses no longer held; some may not be stored. */
  readonly removed: readonly Ipv4[];
  /**
   * Applied after `removed`, which may name the same address. One that is still stored keeps its
   * place in the order.
   */
  readonly added: readonly HeldAddress[];
  /** What to remember of the council, when it is to be stored anew. */
  readonly council?: StoredCouncil | undefined;
}

/** Where the allocator keeps its state. Both calls return when the work is done. */
export interface AllocatorStore {
  /** @throws WeaveError when there is something and it cannot be read */
  load(): AllocatorState | undefined;
  /** One transaction. @throws WeaveError; the allocator then holds back its answers and retries */
  save(change: AllocatorChange): void;
}
