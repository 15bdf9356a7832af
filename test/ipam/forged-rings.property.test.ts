import { expect, test } from "bun:test";
import fc from "fast-check";
import { errorCode } from "../../lib/base/errors.ts";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import type { RingEntry } from "../../lib/ipam/ring-entry.ts";
import { encodeState } from "../../lib/ipam/state-codec.ts";
import { encodeUnicast } from "../../lib/ipam/unicast-codec.ts";
import { TestPeer } from "./test-peer.ts";

/** Work, not waiting: a busy machine may take its time. */
const timeLimitMs = 60_000;

const subnet = parseIpv4Cidr("10.0.0.0/26");
const universe = cidrRange(subnet);

const entry: fc.Arbitrary<RingEntry> = fc.record({
  token: fc.nat(63).map((offset) => universe.start + offset),
  peer: fc.integer({ min: 0, max: 3 }).map((peer) => peer as PeerName),
  version: fc.oneof(fc.nat(8), fc.constantFrom(100, 2 ** 32 - 1)),
  free: fc.nat(20),
});
const message = fc.oneof(
  fc.record({
    kind: fc.constant("ring" as const),
    entries: fc
      .uniqueArray(entry, { selector: ({ token }) => token, maxLength: 6 })
      .map((entries) => entries.sort((a, b) => a.token - b.token)),
    how: fc.nat(2),
  }),
  fc.record({
    kind: fc.constant("request" as const),
    start: fc.nat(70),
    size: fc.nat(70),
    denied: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("allocate" as const) }),
  fc.record({ kind: fc.constant("claim" as const), offset: fc.nat(63) }),
  fc.record({ kind: fc.constant("delete" as const), index: fc.nat(20) }),
  fc.record({ kind: fc.constant("takeover" as const), peer: fc.nat(3) }),
  fc.record({ kind: fc.constant("tick" as const) }),
);
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function play(peer: TestPeer, event: Message, at: number): void {
  const { allocator } = peer;
  const other = 2 as PeerName;
  const options = { isContainer: true, noErrorOnUnknown: false };
  switch (event.kind) {
    case "ring": {
      const ring = { universe, peer: other, entries: event.entries, seeds: [] };
      const state = { nowSeconds: 0, nicknames: [], paxos: undefined, ring };
      if (event.how === 0) allocator.channel.onGossip(other, encodeState(state));
      else if (event.how === 1) allocator.channel.onBroadcast(other, encodeState(state));
      else allocator.channel.onUnicast(other, encodeUnicast({ kind: "ring-update", state }));
      break;
    }
    case "request": {
      const start = universe.start + event.start - 3;
      const range = { start, end: start + event.size };
      const kind = event.denied ? "space-denied" : "space-request";
      allocator.channel.onUnicast(other, encodeUnicast({ kind, range }));
      break;
    }
    case "allocate":
      allocator.allocate(`c${at}`, subnet, options).catch(() => {});
      break;
    case "claim": {
      const cidr = { address: universe.start + event.offset, prefix: 26 };
      allocator.claim(`c${at}`, cidr, options).catch(() => {});
      break;
    }
    case "delete": {
      const held = allocator.list();
      if (held.length > 0) allocator.delete(held[event.index % held.length]!.ident);
      break;
    }
    case "takeover":
      allocator.takeover(`::${event.peer}`, { force: true });
      break;
    case "tick":
      peer.pass(5);
      break;
  }
}

test(
  "whatever rings it is sent, a peer stays up and agrees with itself",
  () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 5, maxLength: 40 }), (events) => {
        const peer = new TestPeer({ name: "::1", universe: "10.0.0.0/26", init: "consensus=1" });
        peer.known.add(2 as PeerName);
        for (const [at, event] of events.entries()) {
          try {
            play(peer, event, at);
          } catch (error) {
            // Every refusal is one that was thought of; a failed invariant is not.
            expect(errorCode(error)).not.toBe("INTERNAL");
          }
          const { activeAddresses, heldOutside, conflicts } = peer.allocator.status();
          const addresses = peer.allocator.list().flatMap(({ cidrs }) => cidrs);
          expect(activeAddresses + heldOutside).toBe(addresses.length);
          expect(conflicts.length).toBeLessThan(2);
        }
        const again = new TestPeer({ name: "::1", universe: "10.0.0.0/26", store: peer.store });
        expect(again.allocator.list()).toEqual(peer.allocator.list());
      }),
      { seed: 1, numRuns: 1500 },
    );
  },
  timeLimitMs,
);
