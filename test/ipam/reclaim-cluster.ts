import type { Channel, GossipData } from "../../lib/base/gossip.ts";
import { formatIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { type Random, randomBelow, seededRandom } from "../../lib/base/random.ts";
import { silentLog, type World } from "../../lib/base/world.ts";
import { AddressSet } from "../../lib/ipam/address-set.ts";
import { Allocator, type AllocatorPeers } from "../../lib/ipam/allocator.ts";
import { parseInitMode } from "../../lib/ipam/init-mode.ts";
import type { Fence } from "../../lib/ipam/reclaim-lease.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { MemoryStore } from "./memory-store.ts";

export const reclaimSubnet = parseIpv4Cidr("10.0.0.0/22");
export const hourMs = 3_600_000;

type Kind = "unicast" | "broadcast" | "gossip";

interface ReclaimOptions {
  readonly size: number;
  readonly seed?: number;
  readonly afterMs?: number;
  readonly fence?: Fence;
  /** Peers whose `--reclaim-after` differs from the others'. */
  readonly off?: readonly number[];
}

/** One host: its disk and clocks outlive the processes of its peer. */
export class ReclaimHost implements World, AllocatorPeers, Channel {
  readonly name: PeerName;
  readonly cluster: ReclaimCluster;
  readonly random: Random;
  store = new MemoryStore();
  /** Added to the wall clock. */
  skewMs = 0;
  /** How long the machine has slept: its monotonic clock stood still. */
  sleptMs = 0;
  /** Missing while no process runs. */
  allocator: Allocator | undefined;
  readonly lines: string[] = [];
  readonly log = { ...silentLog, warn: (line: string) => this.#write(line) };
  #run = 0;

  constructor(cluster: ReclaimCluster, number: number, seed: number) {
    this.cluster = cluster;
    this.name = number as PeerName;
    this.random = seededRandom(seed * 1000 + number);
  }

  start(afterMs = this.cluster.afterMs): Allocator {
    this.#run++;
    const { size, fence } = this.cluster.options;
    this.allocator = new Allocator(
      this,
      {
        self: this.name,
        nickname: `host${this.name}`,
        uid: BigInt(this.#run * 1000 + this.name),
        universe: reclaimSubnet,
        defaultSubnet: reclaimSubnet,
        init: parseInitMode(`consensus=${size}`),
        reclaimAfterMs: afterMs,
        ...(fence === undefined ? {} : { fence }),
        quorumPeers: () => size,
      },
      this,
      this.store,
    );
    this.allocator.setChannel(this);
    this.allocator.start([]);
    return this.allocator;
  }

  /** The process ends without a word. */
  kill(): void {
    this.#run++;
    this.allocator = undefined;
  }

  /** What it holds and may use. */
  addresses(): number[] {
    return (this.allocator?.list() ?? []).flatMap(({ cidrs }) => cidrs.map((c) => c.address));
  }

  now(): number {
    return 1_700_000_000_000 + this.cluster.clock.nowMs + this.skewMs;
  }

  monotonicMs(): number {
    return this.cluster.clock.nowMs - this.sleptMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const run = this.#run;
    return this.cluster.clock.after(delayMs, () => {
      if (run === this.#run) action();
    });
  }

  isKnown(peer: PeerName): boolean {
    return this.cluster.isConnected(this.name, peer);
  }

  canReach(peer: PeerName): boolean {
    return this.isKnown(peer);
  }

  inSight(): number {
    return [...this.knownPeers()].length;
  }

  *knownPeers(): Iterable<PeerName> {
    for (const { name } of this.cluster.hosts) if (this.isKnown(name)) yield name;
  }

  nickname(): undefined {
    return undefined;
  }

  unicast(to: PeerName, payload: Uint8Array): boolean {
    this.cluster.send(this.name, to, "unicast", payload);
    return this.canReach(to);
  }

  broadcast(data: GossipData): void {
    for (const payload of data.encode()) {
      for (const to of this.knownPeers()) this.cluster.send(this.name, to, "broadcast", payload);
    }
  }

  gossipTo(to: PeerName): void {
    for (const payload of this.allocator?.channel.full()?.encode() ?? []) {
      this.cluster.send(this.name, to, "gossip", payload);
    }
  }

  receive(from: PeerName, kind: Kind, payload: Uint8Array): void {
    const { allocator } = this;
    try {
      if (kind === "unicast") allocator?.channel.onUnicast(from, payload);
      else if (kind === "broadcast") allocator?.channel.onBroadcast(from, payload);
      else allocator?.channel.onGossip(from, payload);
    } catch (error) {
      this.cluster.refusals.push(`${this.name} from ${from}: ${String(error)}`);
    }
  }

  #write(line: string): void {
    this.lines.push(line);
  }
}

/** Allocators of several hosts over a network that can be split, with clocks that can be wrong. */
export class ReclaimCluster {
  readonly clock = new VirtualClock();
  readonly hosts: ReclaimHost[];
  readonly options: ReclaimOptions;
  readonly afterMs: number;
  readonly random: Random;
  readonly refusals: string[] = [];
  /** Hosts of equal number reach each other. */
  readonly #side = new Map<PeerName, number>();
  #idents = 0;

  constructor(options: ReclaimOptions) {
    this.options = options;
    this.afterMs = options.afterMs ?? 24 * hourMs;
    this.random = seededRandom(options.seed ?? 1);
    this.hosts = Array.from(
      { length: options.size },
      (_, index) => new ReclaimHost(this, index + 1, options.seed ?? 1),
    );
    for (const host of this.hosts) host.start(options.off?.includes(host.name) ? 0 : this.afterMs);
  }

  host(number: number): ReclaimHost {
    return this.hosts[number - 1]!;
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  isConnected(a: PeerName, b: PeerName): boolean {
    const [x, y] = [this.host(a), this.host(b)];
    const isUp = x.allocator !== undefined && y.allocator !== undefined;
    return a === b || (isUp && (this.#side.get(a) ?? 0) === (this.#side.get(b) ?? 0));
  }

  /** Puts hosts on a side of the network of their own. */
  split(side: number, ...numbers: number[]): void {
    for (const number of numbers) this.#side.set(this.host(number).name, side);
  }

  heal(): void {
    this.#side.clear();
  }

  send(from: PeerName, to: PeerName, kind: Kind, payload: Uint8Array): void {
    if (from === to) return;
    this.clock.after(1 + this.below(20), () => {
      if (this.isConnected(from, to)) this.host(to).receive(from, kind, payload);
    });
  }

  /** Lets time pass, with gossip every half minute; long waits are cut short to their ends. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 30_000) {
      this.clock.run(Math.min(left, 30_000));
      for (const from of this.hosts) {
        const others = [...from.knownPeers()].filter((peer) => peer !== from.name);
        if (others.length > 0) from.gossipTo(others[this.below(others.length)]!);
      }
    }
  }

  allocate(number: number): string {
    const ident = `c${this.#idents++}`;
    const options = { isContainer: false };
    this.host(number)
      .allocator?.allocate(ident, reclaimSubnet, options)
      .catch(() => {});
    return ident;
  }

  holds(number: number, ident: string): boolean {
    return (this.host(number).allocator?.lookup(ident) ?? []).length > 0;
  }

  /** Asks everybody for addresses until each owns a part of the ring, and a council stands. */
  form(): this {
    this.pass(5 * 60_000);
    for (const { name } of this.hosts) this.allocate(name);
    this.pass(10 * 60_000);
    return this;
  }

  /** Has `number` claim `address`; true when it may use it. */
  claim(number: number, address: string): () => boolean {
    const cidr = parseIpv4Cidr(`${address}/22`);
    const ident = `claim of ${address}`;
    const options = { isContainer: false, noErrorOnUnknown: true };
    this.host(number)
      .allocator?.claim(ident, cidr, options)
      .catch(() => {});
    return () => this.holds(number, ident);
  }

  /** The lowest address that `number` could give out and does not use, in its own eyes. */
  freeAddress(number: number): string {
    const { allocator } = this.host(number);
    const used = new Set(this.host(number).addresses());
    for (const { start, end } of allocator?.status().reclaim?.usable ?? []) {
      for (let address = start; address < end; address++) {
        if (!used.has(address)) return formatIpv4(address);
      }
    }
    throw new Error(`${number} has no free address`);
  }

  /** What two hosts may give out at the same time, whoever believes to own it: never anything. */
  doublyUsable(): AddressSet {
    let [used, twice] = [AddressSet.empty, AddressSet.empty];
    for (const { allocator } of this.hosts) {
      const own = AddressSet.of(allocator?.status().reclaim?.usable ?? []);
      twice = twice.union(used.intersection(own));
      used = used.union(own);
    }
    return twice;
  }

  /** Like {@link pass}, in small steps, and nothing may be given out by two at the end of any. */
  passSafely(ms: number): void {
    for (let left = ms; left > 0; left -= 10_000) {
      this.pass(Math.min(left, 10_000));
      const twice = this.doublyUsable().ranges();
      if (twice.length > 0) throw new Error(`${formatIpv4(twice[0]!.start)} may be used by two`);
    }
  }

  /** Lets milliseconds pass until `reached`. */
  until(reached: () => boolean): void {
    this.clock.runUntil(reached, hourMs);
  }

  owner(number: number): Set<string> {
    const { ranges } = this.host(number).allocator!.status();
    return new Set((ranges ?? []).map(({ peer }) => `${peer}`));
  }
}
