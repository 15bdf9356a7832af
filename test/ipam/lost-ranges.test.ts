import { describe, expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { formatIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { MemoryStore } from "./memory-store.ts";
import { TestPeer } from "./test-peer.ts";
import { type MergeCase, toEntry, toRing, vectors } from "./vectors.ts";

const { cases } = await vectors<{ cases: MergeCase[] }>("merge_cases");
const deadly = cases.filter(({ original_crashes_afterwards: how }) => how !== undefined);
/** Its count of free addresses is wrong; a peer that starts corrects it, and so outbids the message. */
const outbid = "own_entry_same_version_other_owner_tie_theirs";

/** A peer in the state before the message, with the sender of it in the topology. */
function peerBefore(given: MergeCase): TestPeer {
  const self = parsePeerName(given.our_peer);
  const universe = cidrRange(parseIpv4Cidr(given.universe));
  const ring = {
    universe,
    entries: given.ring_before.map(toEntry),
    seeds: given.seeds_before.map(parsePeerName),
  };
  const held = given.allocated_addresses.map((address) => ({
    ident: `c-${address}`,
    isContainer: false,
    cidr: parseIpv4Cidr(`${address}/24`),
  }));
  const store = new MemoryStore({ self, ring, held });
  const peer = new TestPeer({ name: given.our_peer, universe: given.universe, store });
  for (const entry of toRing(given.incoming_ring).entries) {
    if (entry.peer !== self) peer.known.add(entry.peer);
  }
  return peer;
}

function ownSize(peer: TestPeer): number {
  const { ranges } = peer.allocator.status();
  const own = ranges!.filter((range) => range.peer === peer.name);
  return own.reduce((sum, { size }) => sum + size, 0);
}

describe("a ring that costs us ranges of ours, and an original its life", () => {
  for (const given of deadly.filter(({ name }) => name !== outbid)) {
    test(`leaves us with what is still ours: ${given.name}`, async () => {
      const peer = peerBefore(given);
      const before = ownSize(peer);
      const sender = parsePeerName(given.incoming_ring.Peer);
      peer.allocator.channel.onBroadcast(sender, fromHex(given.incoming_hex));
      const after = ownSize(peer);
      expect(after).toBeLessThan(before);
      expect(peer.allocator.status().conflicts).toEqual([]);

      // What it gives out now lies in its ranges, and a later life agrees.
      const { ranges } = peer.allocator.status();
      if (after > 2) {
        const subnet = parseIpv4Cidr(given.universe);
        const { address } = await peer.allocator.allocate("new", subnet, { isContainer: false });
        const owner = ranges!.findLast(({ token }) => token <= address);
        expect([formatIpv4(address), formatPeerName(owner!.peer)]).toEqual([
          formatIpv4(address),
          given.our_peer,
        ]);
      }
      peer.allocator.stop();
      const again = new TestPeer({
        name: given.our_peer,
        universe: given.universe,
        store: peer.store,
      });
      expect(ownSize(again)).toBe(after);
      expect(again.allocator.list()).toEqual(peer.allocator.list());
    });
  }

  test("costs nothing when what we know is newer", () => {
    const given = deadly.find(({ name }) => name === outbid)!;
    const peer = peerBefore(given);
    peer.allocator.channel.onBroadcast(
      parsePeerName(given.incoming_ring.Peer),
      fromHex(given.incoming_hex),
    );
    expect(ownSize(peer)).toBe(256);
    expect(deadly).toHaveLength(6);
  });
});
