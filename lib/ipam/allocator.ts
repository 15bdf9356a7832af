import type { Channel } from "../base/gossip.ts";
import { formatIpv4, type Ipv4, type Ipv4Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { type Cancel, every, type World } from "../base/world.ts";
import { AllocatorChannel } from "./allocator-channel.ts";
import {
  type AllocatorConfig,
  type AllocatorPeers,
  type OwnedRangesChange,
  type PreClaim,
  universeOf,
} from "./allocator-config.ts";
import { type AllocatorStatus, statusOf } from "./allocator-status.ts";
import type { AllocatorStore } from "./allocator-store.ts";
import { ContainerDeaths } from "./container-deaths.ts";
import { Executor } from "./executor.ts";
import { notHeld } from "./held-addresses.ts";
import { Ledger } from "./ledger.ts";
import { Negotiation } from "./negotiation.ts";
import { Outbox } from "./outbox.ts";
import { cancelled, Pending } from "./pending.ts";
import { contains, hostRange, rangeSize } from "./range.ts";
import { recover } from "./recovery.ts";
import { newClaim } from "./request.ts";
import { RequestQueue } from "./request-queue.ts";
import { RestingAddresses } from "./resting-addresses.ts";

export type { AllocatorConfig, AllocatorPeers, OwnedRangesChange, PreClaim };

/** How often elections, requests and expiries are looked after. */
const tickMs = 5_000;

/**
 * Hands out addresses of the ranges that this peer owns, and deals with the other peers over them
 * (ipam §10). Requests, messages, container events and ticks are actions of the {@link Executor}.
 */
export class Allocator {
  /** Hears what other peers say. */
  readonly channel: AllocatorChannel;
  readonly #world: World;
  readonly #config: AllocatorConfig;
  readonly #peers: AllocatorPeers;
  readonly #store: AllocatorStore;
  readonly #containerAlive: (ident: string) => boolean;
  readonly #ledger: Ledger;
  readonly #deaths = new ContainerDeaths();
  readonly #resting: RestingAddresses | undefined;
  readonly #negotiation: Negotiation;
  readonly #requests: RequestQueue;
  readonly #executor: Executor;
  #stopTicking: Cancel = () => {};
  #isShutDown = false;

  /** @throws WeaveError `IPAM_UNIVERSE` */
  constructor(
    world: World,
    config: AllocatorConfig,
    peers: AllocatorPeers,
    store: AllocatorStore,
    containerAlive: (ident: string) => boolean = () => true,
  ) {
    this.#world = world;
    this.#config = config;
    this.#peers = peers;
    this.#store = store;
    this.#containerAlive = containerAlive;
    this.#ledger = new Ledger(config.self, universeOf(config), config.news);
    this.#resting = config.reuse === "rested" ? new RestingAddresses() : undefined;
    const outbox = new Outbox();
    const negotiation = new Negotiation(world, config, peers, this.#ledger, outbox);
    this.#negotiation = negotiation;
    this.#requests = new RequestQueue({
      ledger: this.#ledger,
      deaths: this.#deaths,
      resting: this.#resting,
      log: world.log,
      needRing: () => negotiation.needRing(),
      space: negotiation.space,
      mayUse: () => negotiation.council.mayUse(),
      usable: () => negotiation.council.usable(),
      nickname: (peer) => this.#nickname(peer),
    });
    this.#executor = new Executor({
      ...{ ledger: this.#ledger, outbox, negotiation, requests: this.#requests },
      store,
      log: world.log,
      ringChanged: () => config.onRingChanged?.(),
    });
    this.channel = new AllocatorChannel({
      ...{ negotiation, requests: this.#requests, executor: this.#executor, log: world.log },
      clockShown: (peer, unixMs) => config.clockShown?.(peer, unixMs),
    });
  }

  /** Where messages go; until it is there, nothing is sent. */
  setChannel(channel: Channel): void {
    this.#executor.channel = channel;
  }

  /** Hears of changes of our ranges, and of those of a peer whose place we take. */
  set onOwnedRangesChanged(listener: (change: OwnedRangesChange) => void) {
    this.#executor.onOwnedRangesChanged = listener;
  }

  /**
   * Restores what was stored or makes the ring of the seeds, and claims what is in use already.
   *
   * @throws WeaveError when stored data cannot be read
   */
  start(preClaims: readonly PreClaim[]): void {
    const { self, init } = this.#config;
    const stored = this.#store.load();
    const recovery = recover(stored, self, this.#ledger.ring.universe);
    const { council } = this.#negotiation;
    for (const note of recovery.notes) this.#world.log.info(`[allocator] ${note}`);
    this.#executor.run(() => {
      if (recovery.reset) this.#ledger.discardStored();
      else if (stored?.council !== undefined) council.restore(stored.council);
      council.store();
      if (recovery.isGrown) this.#ledger.storeRing();
      if (recovery.ring !== undefined) this.#ledger.restore(recovery.ring, recovery.held);
      else if (init.kind === "seed") this.#negotiation.makeRing(init.seeds);
      for (const row of [...recovery.carried, ...preClaims]) this.#preClaim(row);
    });
    this.#stopTicking = every(this.#world, tickMs, () => this.#tick());
  }

  /** Gives up all requests and stores what is left to store. Ranges stay ours. */
  stop(): void {
    this.#stopTicking();
    this.#executor.run(() => {
      this.#isShutDown = true;
      this.#requests.cancel(() => true);
    });
    this.#executor.storeAll();
  }

  /**
   * An address of `subnet` for `ident`: the one that it holds there, or the lowest free one. Waits
   * until there is one.
   *
   * Rejects with `IPAM_CANCELLED`, `IPAM_OUT_OF_RANGE`, `IPAM_BUSY` or the error of the store.
   */
  allocate(
    ident: string,
    subnet: Ipv4Cidr,
    options: { isContainer: boolean; signal?: AbortSignal },
  ): Promise<Ipv4Cidr> {
    const { isContainer, signal } = options;
    const pending = this.#pending<Ipv4Cidr>(signal);
    this.#ledger.teller.asked("allocated", ident, pending.promise);
    this.#executor.run(() => {
      if (this.#isRefused(ident, isContainer)) this.#refuse(pending);
      else this.#requests.add({ kind: "allocation", ident, subnet, isContainer, pending });
    });
    return pending.promise;
  }

  /**
   * Records that `ident` uses the address of `cidr`, which may have to be got from its owner.
   *
   * Rejects with `IPAM_CANCELLED`, `IPAM_CLAIM_REFUSED`, `IPAM_BUSY` or the error of the store.
   */
  claim(
    ident: string,
    cidr: Ipv4Cidr,
    options: { isContainer: boolean; noErrorOnUnknown: boolean; signal?: AbortSignal },
  ): Promise<void> {
    const { isContainer, noErrorOnUnknown, signal } = options;
    const pending = this.#pending<void>(signal);
    this.#ledger.teller.asked(
      "claimed",
      ident,
      pending.promise.then(() => cidr),
    );
    const request = { ident, cidr, isContainer, noErrorOnUnknown };
    this.#executor.run(() => {
      if (this.#isRefused(ident, isContainer)) this.#refuse(pending);
      else this.#requests.add(newClaim(request, pending));
    });
    return pending.promise;
  }

  /** Resolves when there is a ring. Rejects with `IPAM_CANCELLED`. */
  prime(signal?: AbortSignal): Promise<void> {
    const pending = this.#pending<void>(signal);
    this.#executor.run(() => {
      if (this.#isShutDown) this.#refuse(pending);
      else this.#requests.add({ kind: "prime", pending });
    });
    return pending.promise;
  }

  /** What `ident` holds, in order of acquisition: of the hosts of `subnet`, or everything. */
  lookup(ident: string, subnet?: Ipv4Cidr): Ipv4Cidr[] {
    const held = this.#ledger.held.of(ident);
    if (subnet === undefined) return [...held];
    return held.filter(({ address }) => contains(hostRange(subnet), address));
  }

  list(): { ident: string; cidrs: Ipv4Cidr[] }[] {
    return this.#ledger.held.list();
  }

  /** @throws WeaveError `IPAM_NOT_HELD` */
  free(ident: string, address: Ipv4): void {
    this.#executor.run(() => {
      if (this.#ledger.held.holderOf(address) !== ident) {
        throw notHeld(`Free: address ${formatIpv4(address)} not found for ${ident}`);
      }
      this.#release(address);
    });
  }

  /** Frees everything that `ident` holds. @throws WeaveError `IPAM_NOT_HELD` */
  delete(ident: string): void {
    this.#executor.run(() => {
      if (this.#ledger.held.of(ident).length === 0) {
        throw notHeld(`Delete: no addresses for ${ident}`);
      }
      this.#releaseAll(ident);
    });
  }

  /** Its requests end, and its addresses are kept for the case that it is restarted. */
  containerDied(ident: string): void {
    this.#executor.run(() => {
      this.#cancelRequestsOf(ident);
      if (this.#ledger.held.isContainer(ident)) {
        this.#deaths.died(ident, this.#world.monotonicMs());
      }
    });
  }

  containerStarted(ident: string): void {
    this.#deaths.forget(ident);
  }

  containerDestroyed(ident: string): void {
    this.#executor.run(() => {
      this.#cancelRequestsOf(ident);
      if (this.#ledger.held.isContainer(ident)) this.#releaseAll(ident);
    });
  }

  /** Releases what containers hold that are not among those `alive`. */
  prune(alive: ReadonlySet<string>): void {
    this.#executor.run(() => {
      for (const ident of this.#ledger.held.containers()) {
        if (!alive.has(ident)) this.#releaseAll(ident);
      }
    });
  }

  /** Hands all ranges to another peer, if there is one, and gives up all requests, now and later. */
  shutdown(): void {
    this.#executor.run(() => {
      this.#isShutDown = true;
      this.#requests.cancel(() => true);
      this.#negotiation.leave();
    });
  }

  /**
   * Takes over the ranges of a peer that will not come back, or has the council take them within the
   * next seconds; returns the number of their addresses, 0 for a peer that is unknown, ourselves, or
   * without ranges.
   *
   * @throws WeaveError `IPAM_NICKNAME_AMBIGUOUS`, `IPAM_NOT_MEMBER`; `IPAM_PEER_ALIVE` unless forced
   */
  takeover(peerOrNickname: string, options: { force: boolean }): number {
    return this.#executor.run(() => {
      const ranges = this.#negotiation.takeOver(peerOrNickname, options);
      return ranges.reduce((sum, range) => sum + rangeSize(range), 0);
    });
  }

  /** `peer` left the topology. Its ranges stay its own. */
  peerGone(peer: PeerName): void {
    this.#negotiation.peerGone(peer);
  }

  status(): AllocatorStatus {
    return statusOf({
      config: this.#config,
      peers: this.#peers,
      ledger: this.#ledger,
      negotiation: this.#negotiation,
      requests: this.#requests,
      storeError: this.#executor.storeError,
      nickname: (peer) => this.#nickname(peer),
    });
  }

  #tick(): void {
    this.#executor.run(() => {
      this.#requests.nextTick();
      this.#resting?.expire(this.#world.monotonicMs());
      this.#negotiation.tick();
      if (!this.#negotiation.election.awaiting) this.#executor.wantRetry();
      for (const ident of this.#deaths.takeExpired(this.#world.monotonicMs())) {
        this.#releaseAll(ident);
      }
    });
    this.#executor.storeAll();
  }

  #preClaim({ ident, isContainer, cidr }: PreClaim): void {
    const claim = newClaim({ ident, cidr, isContainer, noErrorOnUnknown: true }, undefined);
    // Trying without a ring would call an election before anybody is connected.
    const isInside = contains(this.#ledger.ring.universe, cidr.address);
    if (isInside && !this.#ledger.hasRing) this.#requests.wait(claim);
    else this.#requests.add(claim);
  }

  #pending<T>(signal: AbortSignal | undefined): Pending<T> {
    return new Pending<T>(signal, () =>
      this.#executor.run(() => this.#requests.cancel(({ pending }) => pending?.isAborted === true)),
    );
  }

  #isRefused(ident: string, isContainer: boolean): boolean {
    return this.#isShutDown || (isContainer && !this.#containerAlive(ident));
  }

  #refuse(pending: Pending<Ipv4Cidr> | Pending<void>): void {
    pending.fail(cancelled());
    pending.deliver();
  }

  #cancelRequestsOf(ident: string): void {
    this.#requests.cancel((request) => request.kind !== "prime" && request.ident === ident);
  }

  #releaseAll(ident: string): void {
    for (const { address } of [...this.#ledger.held.of(ident)]) this.#release(address);
    this.#deaths.forget(ident);
  }

  #release(address: Ipv4): void {
    this.#ledger.release(address);
    this.#resting?.add(address, this.#world.monotonicMs());
    this.#executor.wantRetry();
  }

  #nickname(peer: PeerName): string {
    return this.#negotiation.nicknames.get(peer) ?? this.#peers.nickname(peer) ?? "";
  }
}
