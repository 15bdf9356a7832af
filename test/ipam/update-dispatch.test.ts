import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { MemoryStore } from "./memory-store.ts";
import { expectSent, type VectorSend } from "./sent.ts";
import { TestPeer } from "./test-peer.ts";
import {
  fromEntry,
  sorted,
  sortedClaims,
  toClaims,
  toEntry,
  toState,
  type VectorClaims,
  type VectorEntry,
  type VectorState,
  vectors,
} from "./vectors.ts";

interface DispatchCase {
  name: string;
  us: { peer: string; uid: string; observer: boolean; quorum: number; awaiting_consensus: boolean };
  sender: string | null;
  arrived_as: string;
  incoming: VectorState;
  incoming_hex: string;
  ring_before: VectorEntry[];
  ring_after: VectorEntry[];
  paxos_before?: VectorClaims[];
  paxos_after?: VectorClaims[];
  awaiting_after: boolean;
  sends: VectorSend[];
}

const { cases } = await vectors<{ cases: DispatchCase[] }>("update_dispatch");

for (const given of cases) {
  test(`a state message has the effect that it has on the original: ${given.name}`, () => {
    const self = parsePeerName(given.us.peer);
    const universe = cidrRange(parseIpv4Cidr("10.0.0.0/24"));
    const ring = { universe, entries: given.ring_before.map(toEntry), seeds: [self] };
    const peer = new TestPeer({
      name: given.us.peer,
      uid: BigInt(given.us.uid),
      nickname: "host1",
      universe: "10.0.0.0/24",
      init: given.us.observer ? "observer" : `consensus=${given.us.quorum}`,
      store: new MemoryStore(given.ring_before.length > 0 ? { self, ring, held: [] } : undefined),
    });
    const sender = parsePeerName("02:00:00:00:00:02");
    peer.known.add(sender);
    if (given.us.awaiting_consensus) void peer.allocator.prime();
    peer.takeSent();
    const before = decodeState(peer.allocator.channel.full()!.encode()[0]!);
    expect(sortedClaims(before.paxos ?? [])).toEqual(
      sortedClaims((given.paxos_before ?? []).map(toClaims)),
    );

    const payload = fromHex(given.incoming_hex);
    expect(sorted(decodeState(payload))).toEqual(sorted(toState(given.incoming)));
    if (given.sender === null) peer.allocator.channel.onGossip(sender, payload);
    else peer.allocator.channel.onBroadcast(parsePeerName(given.sender), payload);

    expectSent(peer.takeSent(), given.sends);
    const after = decodeState(peer.allocator.channel.full()!.encode()[0]!);
    expect((after.ring?.entries ?? []).map(fromEntry)).toEqual(given.ring_after);
    if (given.paxos_after !== undefined && given.ring_after.length === 0) {
      expect(sortedClaims(after.paxos ?? [])).toEqual(
        sortedClaims(given.paxos_after.map(toClaims)),
      );
    }
    expect(peer.allocator.status().election !== undefined).toBe(given.awaiting_after);
  });
}
