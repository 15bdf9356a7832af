import { WeaveError } from "../base/errors.ts";
import type { Ipv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { AllocatorChange, AllocatorState, AllocatorStore } from "../ipam/allocator-store.ts";
import type { HeldAddress } from "../ipam/held-addresses.ts";
import type { RingState } from "../ipam/ring-entry.ts";
import type { RecordStore } from "../policy/gossip/record-table.ts";
import { keyOf, type SharedRecord } from "../policy/gossip/shared-record.ts";

/**
 * What of a peer survives its process: addresses, ring, what it knows of policies, and the peers it
 * was told to connect to.
 * Every change is one transaction, as in the database of a router.
 */
export class Disk {
  /** Addresses to connect to, as typed. */
  targets: readonly string[];
  /** While set, nothing can be stored. */
  isFull = false;
  #self: PeerName | undefined;
  #ring: RingState | undefined;
  #council: AllocatorState["council"];
  readonly #held = new Map<Ipv4, HeldAddress>();
  readonly #records = new Map<string, SharedRecord>();

  constructor(targets: readonly string[]) {
    this.targets = targets;
  }

  /** The ring as last stored. */
  get ring(): RingState | undefined {
    return this.#ring;
  }

  /** Stores for one process. After `close` nothing that the process does reaches the disk. */
  open(): { readonly addresses: AllocatorStore; readonly policies: RecordStore; close(): void } {
    let isOpen = true;
    const write = (change: () => void): void => {
      if (this.isFull) throw new WeaveError("DISK_FULL", "no space left on device");
      if (isOpen) change();
    };
    return {
      addresses: {
        load: () => this.#load(),
        save: (change) => write(() => this.#save(change)),
      },
      policies: {
        all: () => [...this.#records.values()],
        save: (records) =>
          write(() => {
            for (const record of records) this.#records.set(keyOf(record), record);
          }),
        erase: (names) =>
          write(() => {
            for (const name of names) this.#records.delete(keyOf(name));
          }),
      },
      close: () => {
        isOpen = false;
      },
    };
  }

  #load(): AllocatorState | undefined {
    if (this.#self === undefined) return undefined;
    const held = [...this.#held.values()];
    return { self: this.#self, ring: this.#ring, held, council: this.#council };
  }

  #save(change: AllocatorChange): void {
    if (change.reset) {
      this.#held.clear();
      this.#ring = undefined;
      this.#council = undefined;
    }
    for (const address of change.removed) this.#held.delete(address);
    for (const row of change.added) this.#held.set(row.cidr.address, row);
    if (change.ring !== undefined) this.#ring = change.ring;
    if (change.council !== undefined) this.#council = change.council;
    this.#self = change.self;
  }
}
