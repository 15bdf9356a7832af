import { expect, test } from "bun:test";
import { formatIpv4, formatIpv4Cidr, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import type { AllocatorStatus } from "../../lib/ipam/allocator-status.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { MemoryStore } from "./memory-store.ts";
import { TestPeer } from "./test-peer.ts";
import { toEntry, vectors } from "./vectors.ts";

const { cases } = await vectors<{ cases: { name: string; json?: object }[] }>("status");

/** The member of the report that the original makes of the same facts. */
function report(status: AllocatorStatus): object {
  const { election } = status;
  return {
    ActiveIPs: status.activeAddresses,
    DefaultSubnet: formatIpv4Cidr(status.defaultSubnet),
    Entries: orNull(
      status.ranges?.map((range) => ({
        IsKnownPeer: range.isKnownPeer,
        Nickname: range.nickname,
        Peer: formatPeerName(range.peer),
        Size: range.size,
        Token: formatIpv4(range.token),
        Version: range.version,
      })),
    ),
    Paxos: election
      ? { Elector: election.isElector, KnownNodes: election.knownNodes, Quorum: election.quorum }
      : null,
    PendingAllocates: orNull(
      status.pendingAllocations.map(({ ident, subnet }) => `${ident} ${formatIpv4Cidr(subnet)}`),
    ),
    PendingClaims: orNull(
      status.pendingClaims.map(({ ident, cidr }) => ({
        CIDR: { Addr: formatIpv4(cidr.address), PrefixLen: cidr.prefix },
        Ident: ident,
      })),
    ),
    Range: formatIpv4Cidr(status.universe),
    RangeNumIPs: status.universeSize,
  };
}

/** An empty list is null in the report. */
function orNull<T>(items: readonly T[] | undefined): readonly T[] | null {
  return items === undefined || items.length === 0 ? null : items;
}

function wanted(name: string): object {
  return cases.find((given) => given.name === name)!.json!;
}

function peerWith(init: string): TestPeer {
  const ranges = { universe: "10.2.0.0/16", defaultSubnet: "10.2.3.0/24" };
  return new TestPeer({ name: "01:00:00:00:00:01", ...ranges, init });
}

const isContainer = false;

test("an elector that nobody asked is idle", () => {
  expect(report(peerWith("consensus=3").allocator.status())).toEqual(wanted("idle"));
});

test("an elector shows what it waits for while it has no quorum", () => {
  const { allocator } = peerWith("consensus=3");
  void allocator.allocate("c1", parseIpv4Cidr("10.2.3.0/24"), { isContainer });
  const options = { isContainer, noErrorOnUnknown: false };
  void allocator.claim("c2", parseIpv4Cidr("10.2.3.9/24"), options);
  expect(report(allocator.status())).toEqual(wanted("awaiting_consensus"));
});

test("an observer that nobody asked is idle", () => {
  expect(report(peerWith("observer").allocator.status())).toEqual(wanted("observer_idle"));
});

test("an observer with a request primes", () => {
  const { allocator } = peerWith("observer");
  void allocator.allocate("c1", parseIpv4Cidr("10.2.3.0/24"), { isContainer });
  expect(report(allocator.status())).toEqual(wanted("observer_priming"));
});

test("a ring shows every owner, and whether it can be reached", () => {
  const self = parsePeerName("01:00:00:00:00:01");
  const third = parsePeerName("03:00:00:00:00:03");
  const entries = [
    { Token: "10.2.0.0", Peer: "01:00:00:00:00:01", Version: 3, Free: 125 },
    { Token: "10.2.0.128", Peer: "02:00:00:00:00:02", Version: 1, Free: 64 },
    { Token: "10.2.0.192", Peer: "03:00:00:00:00:03", Version: 0, Free: 64 },
  ].map(toEntry);
  const held = [1, 2, 3].map((last) => ({
    ident: `c${last}`,
    isContainer,
    cidr: parseIpv4Cidr(`10.2.0.${last}/24`),
  }));
  const universe = cidrRange(parseIpv4Cidr("10.2.0.0/24"));
  const peer = new TestPeer({
    name: "01:00:00:00:00:01",
    universe: "10.2.0.0/24",
    defaultSubnet: "10.2.3.0/24",
    store: new MemoryStore({ self, ring: { universe, entries, seeds: [] }, held }),
  });
  peer.known.add(third);
  const other = new TestPeer({ name: "02:00:00:00:00:02", universe: "10.2.0.0/24" });
  for (const payload of other.allocator.channel.full()!.encode()) {
    peer.allocator.channel.onGossip(other.name, payload);
  }
  expect(report(peer.allocator.status())).toEqual(wanted("ready"));
});
