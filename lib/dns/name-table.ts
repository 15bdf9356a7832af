import { WeaveError } from "../base/errors.ts";
import type { Channel, GossipData, Gossiper } from "../base/gossip.ts";
import { formatIp, type IpAddress, type Ipv4 } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { type Cancel, every, type World } from "../base/world.ts";
import { encodeName, foldName } from "../wire/dns-name.ts";
import { type Domain, fullyQualified, isWithin, parseDomain } from "./domain.ts";
import {
  type Entry,
  inTableOrder,
  isOver,
  makeEntry,
  tombstoneAgeMaxS,
  withState,
} from "./entry.ts";
import { EntryStore } from "./entry-store.ts";
import { decodeNames, type NameMessage } from "./name-codec.ts";
import { NameComparison } from "./name-comparison.ts";
import { NameChanges, WholeTable } from "./name-gossip.ts";
import { type MergeOutcome, mergeEntries } from "./name-merge.ts";
import { WaitingEntries } from "./waiting-entries.ts";

/** Difference of two hosts' clocks in either direction beyond which names are not exchanged. */
export const clockSkewMaxS = 900;

export interface NameTableOptions {
  readonly self: PeerName;
  /** Zone served here, trailing dot optional. Names of other zones are held and passed on. */
  readonly domain: string;
  /** Whether the mesh knows this peer; of `self` it is not asked. */
  isKnownPeer(peer: PeerName): boolean;
  /** Peers to whose containers no frame finds a way now; asked when a name is. Missing: none. */
  unreachablePeers?(): ReadonlySet<PeerName>;
  /** Told what time it was, by its clock, when a neighbour said what it knows; ms since 1970. */
  clockShown?(peer: PeerName, unixMs: number): void;
  /** Called after each change of this peer's own names, for whoever persists them. */
  ownNamesChanged?(): void;
}

/** Which own names to delete: each criterion that is given must match. */
export interface NameFilter {
  /** Compared without letter case; the trailing dot is optional. */
  readonly name?: string;
  readonly ident?: string;
  readonly address?: IpAddress;
}

/** A name as it is registered, and persisted by whoever wants it to outlive the process. */
export interface OwnName {
  readonly name: string;
  readonly ident: string;
  readonly address: IpAddress;
}

const nobody: ReadonlySet<PeerName> = new Set();

export type AddResult = "added" | "unchanged" | "outside-domain";

/** What the responder asks of the table. Names are folded. */
export interface NameView {
  readonly domain: Domain;
  /** Distinct addresses in no particular order. */
  addressesOf(folded: string): readonly Ipv4[];
  /** Those of {@link addressesOf} to which no frame finds a way now: to be tried last. */
  unreachableOf(folded: string): ReadonlySet<Ipv4>;
  hasNamesBelow(folded: string): boolean;
  /** The first name in table order that has this address. */
  nameOf(address: Ipv4): string | undefined;
  /** Grows with every change. */
  readonly changes: number;
}

/** This peer's copy of all names of the cluster: the owner of channel `nameserver` (dns §2–§4). */
export class NameTable implements Gossiper, NameView {
  readonly domain: Domain;
  readonly comparison: NameComparison;
  readonly #world: World;
  readonly #options: NameTableOptions;
  readonly #store: EntryStore;
  readonly #waiting: WaitingEntries;
  readonly #stopSweep: Cancel;
  #channel: Channel | undefined;

  /** @throws WeaveError `DNS_DOMAIN` */
  constructor(world: World, options: NameTableOptions, store = new EntryStore()) {
    this.domain = parseDomain(options.domain);
    this.#store = store;
    this.comparison = new NameComparison(store, () => this.full());
    this.#world = world;
    this.#options = options;
    this.#waiting = new WaitingEntries(world);
    this.#stopSweep = every(world, tombstoneAgeMaxS * 1000, () => this.#sweep());
  }

  /** Until a channel is set changes are not announced: other peers hear of them on connecting. */
  setChannel(channel: Channel): void {
    this.#channel = channel;
  }

  /** Stops the sweep. The table stays readable. */
  stop(): void {
    this.#stopSweep();
  }

  /**
   * Registers `address` under `name` for a container, and tells all peers, even if nothing changed.
   * Another spelling of a name that this container had at this address takes that one's place.
   *
   * @throws WeaveError `DNS_ADDRESS_FAMILY`, `DNS_NAME`
   */
  add(name: string, ident: string, address: IpAddress): AddResult {
    const wanted = this.#ownEntry(name, ident, address);
    if (!isWithin(wanted.folded, this.domain.folded)) {
      const text = `${wanted.hostname} for ${ident} is not in ${this.domain.name}`;
      this.#world.log.info(`dns: ignored: ${text}`);
      return "outside-domain";
    }
    if (encodeName(wanted.hostname) === undefined) {
      throw new WeaveError("DNS_NAME", `invalid name "${name}"`, {
        remedy: "write labels of 1 to 63 characters joined by dots, at most 253 in all",
      });
    }
    const known = this.#store.get(wanted) ?? this.#store.twinOf(wanted);
    if (known?.tombstone === 0) {
      this.#broadcast([known]);
      return "unchanged";
    }
    const entry = known === undefined ? wanted : withState(known, known.version + 1, 0);
    if (!this.#store.put(entry)) {
      throw new WeaveError("DNS_TABLE_FULL", "the table of names is full", {
        remedy: "find the peer that registers names without end in `weave status dns`",
      });
    }
    this.#ownChanged([entry]);
    return "added";
  }

  /** Deletes this peer's live names that match, and returns how many there were. */
  remove(filter: NameFilter): number {
    const folded = filter.name === undefined ? undefined : foldName(fullyQualified(filter.name));
    const dead: Entry[] = [];
    for (const entry of this.#store.ofOrigin(this.#options.self)) {
      if (
        entry.tombstone === 0 &&
        (folded === undefined || entry.folded === folded) &&
        (filter.ident === undefined || entry.containerId === filter.ident) &&
        (filter.address === undefined ||
          (filter.address.family === 4 && entry.address === filter.address.value))
      ) {
        dead.push(withState(entry, entry.version + 1, this.#nowS()));
      }
    }
    for (const entry of dead) this.#store.put(entry);
    if (dead.length > 0) this.#ownChanged(dead);
    return dead.length;
  }

  containerDied(ident: string): void {
    this.remove({ ident });
  }

  /** The peer left the topology: its names vanish at once and without tombstones. */
  peerGone(peer: PeerName): void {
    if (peer === this.#options.self) return;
    for (const entry of [...this.#store.ofOrigin(peer)]) this.#store.erase(entry);
  }

  /** The topology knows this peer now: its names that came too early are taken. */
  peerAppeared(peer: PeerName): void {
    const entries = this.#waiting.take(peer);
    if (entries.length > 0) this.#merge(entries);
  }

  /** Live entries under `name`, in table order. */
  lookup(name: string): Entry[] {
    return [...this.#store.named(foldName(fullyQualified(name)))].sort(inTableOrder);
  }

  /** The hostname that a reverse lookup gives. */
  reverse(address: IpAddress): string | undefined {
    return address.family === 4 ? this.nameOf(address.value) : undefined;
  }

  addressesOf(folded: string): readonly Ipv4[] {
    return this.#store.addressesOf(folded);
  }

  unreachableOf(folded: string): ReadonlySet<Ipv4> {
    return this.#store.addressesOnlyOf(folded, this.#options.unreachablePeers?.() ?? nobody);
  }

  hasNamesBelow(folded: string): boolean {
    return this.#store.hasNamesBelow(folded);
  }

  nameOf(address: Ipv4): string | undefined {
    return this.#store.firstWithAddress(address)?.hostname;
  }

  get changes(): number {
    return this.#store.changes;
  }

  /** All entries, deleted ones included, in table order. */
  entries(): Entry[] {
    return [...this.#store.all()].sort(inTableOrder);
  }

  /** This peer's live names in table order: what may be persisted, and counted by metrics. */
  ownNames(): OwnName[] {
    return [...this.#store.ofOrigin(this.#options.self)]
      .filter((entry) => entry.tombstone === 0)
      .sort(inTableOrder)
      .map((entry) => ({
        name: entry.hostname,
        ident: entry.containerId,
        address: { family: 4, value: entry.address },
      }));
  }

  /** The channel has no unicasts; whatever comes is ignored. */
  onUnicast(_from: PeerName, _payload: Uint8Array): void {}

  onBroadcast(_origin: PeerName, payload: Uint8Array): GossipData | undefined {
    const message = this.#read(payload);
    const { passOn } = this.#merge(this.#known(message));
    return passOn.length === 0 ? undefined : new NameChanges(passOn, () => message.timestampS);
  }

  onGossip(from: PeerName, payload: Uint8Array): GossipData | undefined {
    const message = this.#read(payload, (unixMs) => this.#options.clockShown?.(from, unixMs));
    const { fresh } = this.#merge(this.#known(message));
    return fresh.length === 0 ? undefined : new NameChanges(fresh, () => this.#nowS());
  }

  full(): GossipData | undefined {
    if (this.#store.size === 0) return undefined;
    return new WholeTable(
      () => this.#store.all(),
      () => this.#nowS(),
    );
  }

  /**
   * @param clockShown told the time of the message, also of one that is refused for it
   * @throws GobError, WeaveError `DNS_CLOCK_SKEW`
   */
  #read(payload: Uint8Array, clockShown?: (unixMs: number) => void): NameMessage {
    const message = decodeNames(payload);
    clockShown?.(message.timestampS * 1000);
    const skewS = message.timestampS - this.#nowS();
    if (Math.abs(skewS) > clockSkewMaxS) {
      const text = `host clock skew of ${skewS}s exceeds ${clockSkewMaxS}s limit`;
      throw new WeaveError("DNS_CLOCK_SKEW", text, {
        remedy: "synchronise the clocks of both hosts; until then names are not exchanged",
      });
    }
    if (message.refused > 0) {
      this.#world.log.warn(`dns: ${message.refused} implausible entries left out of a message`);
    }
    return message;
  }

  /** Entries of peers in the topology; the others wait for their peer to appear. */
  #known(message: NameMessage): Entry[] {
    const { self } = this.#options;
    return message.entries.filter((entry) => {
      if (entry.origin === self || this.#options.isKnownPeer(entry.origin)) return true;
      if (!this.#waiting.keep(entry)) {
        const origin = formatPeerName(entry.origin);
        this.#world.log.debug(`dns: no room to keep names of ${origin} until it appears`);
      }
      return false;
    });
  }

  #merge(entries: readonly Entry[]): MergeOutcome {
    const { self } = this.#options;
    const outcome = mergeEntries(this.#store, entries, { self, nowS: this.#nowS() });
    if (outcome.refused > 0) {
      this.#world.log.warn(`dns: table full, ${outcome.refused} names of other peers refused`);
    }
    if (outcome.corrections.length > 0) this.#broadcast(outcome.corrections);
    return outcome;
  }

  #sweep(): void {
    const nowS = this.#nowS();
    for (const entry of [...this.#store.all()]) {
      if (isOver(entry, nowS)) this.#store.erase(entry);
    }
  }

  #ownEntry(name: string, ident: string, address: IpAddress): Entry {
    if (address.family !== 4) {
      const text = `invalid Non-IPv4 address not supported: ${formatIp(address)}`;
      throw new WeaveError("DNS_ADDRESS_FAMILY", text, {
        remedy: "register an IPv4 address: peers of Weave Net 2.x cannot hold others",
      });
    }
    return makeEntry({
      containerId: ident,
      origin: this.#options.self,
      address: address.value,
      hostname: fullyQualified(name),
      version: 0,
      tombstone: 0,
    });
  }

  #ownChanged(entries: readonly Entry[]): void {
    this.#broadcast(entries);
    this.#options.ownNamesChanged?.();
  }

  #broadcast(entries: readonly Entry[]): void {
    this.#channel?.broadcast(new NameChanges(entries, () => this.#nowS()));
  }

  /** Unix seconds of this host's clock. */
  #nowS(): number {
    return Math.floor(this.#world.now() / 1000);
  }
}
