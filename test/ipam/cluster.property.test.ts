import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Ipv4Cidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { type Random, randomBelow, seededRandom } from "../../lib/base/random.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { acquaint, type Sent, TestPeer } from "./test-peer.ts";

/** Work, not waiting: a busy machine may take its time. */
const timeLimitMs = 60_000;

/** One universe with room for all, one that is exhausted most of the time. */
const subnets = { roomy: "10.0.0.0/22", tight: "10.0.0.0/24" } as const;
type Room = keyof typeof subnets;

interface InFlight {
  from: TestPeer;
  to: TestPeer;
  kind: Sent["kind"] | "gossip";
  payload: Uint8Array;
}

/** Peers whose messages overtake one another, while containers come and go. */
class Cluster {
  readonly peers: TestPeer[];
  readonly subnet: Ipv4Cidr;
  readonly #random: Random;
  readonly #inFlight: InFlight[] = [];
  #containers = 0;

  constructor(seed: number, room: Room) {
    this.#random = seededRandom(seed);
    this.subnet = parseIpv4Cidr(subnets[room]);
    this.peers = Array.from(
      { length: 5 },
      (_, index) =>
        new TestPeer({ name: `::${index + 1}`, universe: subnets[room], init: "consensus=5" }),
    );
    acquaint(...this.peers);
  }

  below(bound: number): number {
    return randomBelow(this.#random, bound);
  }

  step(): void {
    const peer = this.peers[this.below(5)]!;
    const kind = this.below(100);
    if (kind < 46) this.#allocate(peer);
    else if (kind < 56) this.#claim(peer);
    else if (kind < 96) this.#release(peer);
    else if (kind < 98) peer.pass(5);
    else this.#gossip(peer, this.peers[this.below(5)]!);
    this.#collect();
    for (let turn = this.below(4); turn > 0; turn--) this.#deliverOne();
    this.checkUnique();
  }

  /** Lets everything arrive and all waiting end, denied questions included. */
  settle(): void {
    for (let round = 0; round < 16; round++) {
      for (const peer of this.peers) {
        peer.pass(5);
        for (const other of this.peers) this.#gossip(peer, other);
      }
      this.#collect();
      while (this.#inFlight.length > 0) {
        this.#deliverOne();
        this.#collect();
      }
    }
  }

  isAnyoneWaiting(): boolean {
    return this.peers.some(({ allocator }) => allocator.status().pendingAllocations.length > 0);
  }

  /** Releases everything until nobody wants anything any more. */
  empty(): void {
    for (let round = 0; round < 20; round++) {
      for (const { allocator } of this.peers) {
        for (const { ident } of allocator.list()) allocator.delete(ident);
      }
      this.settle();
      if (this.peers.every(({ allocator }) => allocator.list().length === 0)) return;
    }
    throw new Error("addresses are still held");
  }

  checkUnique(): void {
    const held = this.peers.flatMap(({ allocator }) =>
      allocator.list().flatMap(({ cidrs }) => cidrs),
    );
    expect(new Set(held.map(({ address }) => address)).size).toBe(held.length);
  }

  #allocate(peer: TestPeer): void {
    const ident = `c${this.#containers++}`;
    const signal = this.below(20) === 0 ? AbortSignal.abort() : undefined;
    const options = { isContainer: true, ...(signal && { signal }) };
    peer.allocator.allocate(ident, this.subnet, options).catch(() => {});
    if (this.below(30) === 0) peer.allocator.containerDied(ident);
  }

  #claim(peer: TestPeer): void {
    const { start, end } = cidrRange(this.subnet);
    const address = start + this.below(end - start);
    const options = { isContainer: false, noErrorOnUnknown: this.below(2) === 0 };
    const cidr = { address, prefix: this.subnet.prefix };
    peer.allocator.claim(`c${this.#containers++}`, cidr, options).catch(() => {});
  }

  #release(peer: TestPeer): void {
    const held = peer.allocator.list();
    if (held.length > 0) peer.allocator.delete(held[this.below(held.length)]!.ident);
  }

  #gossip(from: TestPeer, to: TestPeer): void {
    if (from === to) return;
    for (const payload of from.allocator.channel.full()!.encode()) {
      this.#inFlight.push({ from, to, kind: "gossip", payload });
    }
  }

  #collect(): void {
    for (const from of this.peers) {
      for (const sent of from.takeSent()) {
        for (const to of this.peers) {
          if (to === from || (sent.kind === "unicast" && sent.to !== to.name)) continue;
          this.#inFlight.push({ from, to, kind: sent.kind, payload: sent.payload });
        }
      }
    }
  }

  #deliverOne(): void {
    const [message] = this.#inFlight.splice(this.below(this.#inFlight.length || 1), 1);
    if (message === undefined) return;
    const { from, to, kind, payload } = message;
    if (kind === "unicast") to.allocator.channel.onUnicast(from.name, payload);
    else if (kind === "broadcast") to.allocator.channel.onBroadcast(from.name, payload);
    else to.allocator.channel.onGossip(from.name, payload);
  }
}

for (const room of ["roomy", "tight"] as const) {
  for (const seed of [1, 2, 3, 4]) {
    test(
      `five peers at random never share or lose an address of a ${room} universe, life ${seed}`,
      () => {
        const cluster = new Cluster(seed, room);
        let waited = false;
        for (let step = 0; step < 1300; step++) {
          cluster.step();
          waited ||= cluster.isAnyoneWaiting() && step > 600;
        }
        if (room === "tight") expect(waited).toBe(true);
        cluster.empty();

        // Everybody knows the same ring, and all addresses are free again.
        const rings = cluster.peers.map(
          (peer) => decodeState(peer.allocator.channel.full()!.encode()[0]!).ring!.entries,
        );
        for (const entries of rings) expect(entries).toEqual(rings[0]!);
        const { start, end } = cidrRange(cluster.subnet);
        expect(rings[0]!.reduce((free, entry) => free + entry.free, 0)).toBe(end - start);
        for (const peer of cluster.peers) {
          const status = peer.allocator.status();
          expect(status.conflicts).toEqual([]);
          expect([status.activeAddresses, status.heldOutside]).toEqual([0, 0]);
          expect([status.pendingClaims, status.pendingAllocations]).toEqual([[], []]);
        }
      },
      timeLimitMs,
    );
  }
}

test(
  "a ring restored from any moment of such a life gives out no address twice",
  () => {
    const life = fc.record({
      seed: fc.integer(),
      moment: fc.integer({ min: 50, max: 500 }),
      room: fc.constantFrom<Room>("roomy", "tight"),
    });
    fc.assert(
      fc.property(life, ({ seed, moment, room }) => {
        const cluster = new Cluster(seed, room);
        for (let step = 0; step < moment; step++) cluster.step();
        for (const peer of cluster.peers) {
          const again = new TestPeer({
            name: `::${peer.name}`,
            universe: subnets[room],
            init: "consensus=5",
            store: peer.store,
          });
          expect(again.allocator.list()).toEqual(peer.allocator.list());
          const inUse = again.allocator.list().flatMap(({ cidrs }) => cidrs);
          const { activeAddresses, heldOutside } = again.allocator.status();
          expect(activeAddresses + heldOutside).toBe(inUse.length);
        }
      }),
      { seed: 1, numRuns: 8 },
    );
  },
  timeLimitMs,
);
