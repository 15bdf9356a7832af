import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { randomBelow, seededRandom } from "../../lib/base/random.ts";
import { AddressSet } from "../../lib/ipam/address-set.ts";
import { cidrRange, contains } from "../../lib/ipam/range.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { acquaint, type Sent, TestPeer } from "./test-peer.ts";

const subnet = parseIpv4Cidr("10.0.0.0/22");
const universe = cidrRange(subnet);

interface InFlight {
  from: TestPeer;
  to: TestPeer;
  kind: Sent["kind"] | "gossip";
  payload: Uint8Array;
}

/** Peers whose messages overtake one another, while containers come and go. */
class Cluster {
  readonly peers: TestPeer[];
  readonly #random;
  readonly #inFlight: InFlight[] = [];
  #containers = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.peers = Array.from(
      { length: 5 },
      (_, index) =>
        new TestPeer({ name: `::${index + 1}`, universe: "10.0.0.0/22", init: "consensus=5" }),
    );
    acquaint(...this.peers);
  }

  below(bound: number): number {
    return randomBelow(this.#random, bound);
  }

  step(): void {
    const peer = this.peers[this.below(5)]!;
    const kind = this.below(100);
    if (kind < 30) this.#allocate(peer);
    else if (kind < 36) this.#claim(peer);
    else if (kind < 60) this.#release(peer);
    else if (kind < 62) peer.pass(5);
    else if (kind < 64) this.#gossip(peer, this.peers[this.below(5)]!);
    this.#collect();
    for (let turn = this.below(4); turn > 0; turn--) this.#deliverOne();
    this.checkUnique();
  }

  /** Lets everything arrive and all waiting end. */
  settle(): void {
    for (let round = 0; round < 60; round++) {
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

  checkUnique(): void {
    let all = AddressSet.empty;
    let count = 0;
    for (const peer of this.peers) {
      for (const { cidrs } of peer.allocator.list()) {
        for (const { address } of cidrs) {
          all = all.with({ start: address, end: address + 1 });
          count++;
        }
      }
    }
    expect(all.size).toBe(count);
  }

  #allocate(peer: TestPeer): void {
    const ident = `c${this.#containers++}`;
    const signal = this.below(20) === 0 ? AbortSignal.abort() : undefined;
    const options = { isContainer: true, ...(signal && { signal }) };
    peer.allocator.allocate(ident, subnet, options).catch(() => {});
    if (this.below(30) === 0) peer.allocator.containerDied(ident);
  }

  #claim(peer: TestPeer): void {
    const address = universe.start + this.below(1024);
    const options = { isContainer: false, noErrorOnUnknown: this.below(2) === 0 };
    const cidr = { address, prefix: 22 };
    peer.allocator.claim(`c${this.#containers++}`, cidr, options).catch(() => {});
  }

  #release(peer: TestPeer): void {
    const held = peer.allocator.list();
    if (held.length > 0) peer.allocator.delete(held[this.below(held.length)]!.ident);
  }

  #gossip(from: TestPeer, to: TestPeer): void {
    if (from === to) return;
    for (const payload of from.allocator.full()!.encode()) {
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
    if (kind === "unicast") to.allocator.onUnicast(from.name, payload);
    else if (kind === "broadcast") to.allocator.onBroadcast(from.name, payload);
    else to.allocator.onGossip(from.name, payload);
  }
}

test("five peers that allocate, claim and release at random never share or lose an address", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const cluster = new Cluster(seed);
      for (let step = 0; step < 2500; step++) cluster.step();
      for (const peer of cluster.peers) {
        for (const { ident } of peer.allocator.list()) peer.allocator.delete(ident);
      }
      cluster.settle();
      for (const peer of cluster.peers) {
        for (const { ident } of peer.allocator.list()) peer.allocator.delete(ident);
      }
      cluster.settle();

      // Everybody knows the same ring, and all addresses are free again.
      const rings = cluster.peers.map(
        (peer) => decodeState(peer.allocator.full()!.encode()[0]!).ring!.entries,
      );
      for (const entries of rings) expect(entries).toEqual(rings[0]!);
      let free = 0;
      for (const entry of rings[0]!) free += entry.free;
      expect(free).toBe(1024);
      for (const peer of cluster.peers) {
        const { conflicts, activeAddresses, heldOutside, pendingClaims } = peer.allocator.status();
        expect({ conflicts, activeAddresses, heldOutside, pendingClaims }).toEqual({
          conflicts: [],
          activeAddresses: 0,
          heldOutside: 0,
          pendingClaims: [],
        });
      }
    }),
    { seed: 1, numRuns: 4 },
  );
});

test("a ring restored from any moment of such a life gives out no address twice", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 50, max: 600 }), (seed, moment) => {
      const cluster = new Cluster(seed);
      for (let step = 0; step < moment; step++) cluster.step();
      for (const peer of cluster.peers) {
        const again = new TestPeer({
          name: `::${peer.name}`,
          universe: "10.0.0.0/22",
          init: "consensus=5",
          store: peer.store,
        });
        expect(again.allocator.list()).toEqual(peer.allocator.list());
        const inUse = again.allocator.list().flatMap(({ cidrs }) => cidrs);
        const inside = inUse.filter(({ address }) => contains(universe, address)).length;
        const { activeAddresses, heldOutside } = again.allocator.status();
        expect(activeAddresses + heldOutside).toBe(inside);
      }
    }),
    { seed: 1, numRuns: 10 },
  );
});
