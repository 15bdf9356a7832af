import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { formatIpv4, parseIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName, noPeer, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { readOriginalRing } from "../../lib/ipam/original-state.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { Ring } from "../../lib/ipam/ring.ts";
import type { RingEntry } from "../../lib/ipam/ring-entry.ts";
import { ringFault } from "../../lib/ipam/ring-invariants.ts";
import {
  fromEntry,
  fromRange,
  toEntry,
  toRange,
  toRing,
  type VectorEntry,
  type VectorRange,
  type VectorRing,
  vectors,
} from "./vectors.ts";

interface RingOperation {
  name: string;
  op: "grant" | "transfer" | "report_free";
  us: string;
  before: VectorEntry[];
  after: VectorEntry[];
  range: VectorRange;
  from: string;
  to: string;
  returned_ranges: VectorRange[];
  free: Record<string, number>;
  updated: boolean;
}

interface RingStateCase {
  name: string;
  empty?: boolean;
  gob_hex: string;
  ring: VectorRing;
  invariant_error?: string;
  owned_ranges: Record<string, VectorRange[]>;
  report_ranges: (VectorRange & { Peer: string; Size: number; Version: number })[];
  space_donor_candidates_seen_by_ring_peer?: { range: string; candidates_any_order: string[] }[];
  transfer_heir_if_all_known?: string;
  transfer_heir_if_only_03_known?: string;
}

type CompactEntry = [offset: number, peer: number, version: number, free: number];

const operations = (await vectors<{ cases: RingOperation[] }>("ring_ops")).cases;
const states = (await vectors<{ cases: RingStateCase[] }>("ring_states")).cases;
const seedings = (
  await vectors<{
    cases: {
      universe: string;
      consensus_value: string[];
      normalized_seeds: string[];
      entries: VectorEntry[];
    }[];
  }>("seeding")
).cases;
const grants = (
  await vectors<{
    cases: {
      grant: [number, number];
      to: number;
      ring: CompactEntry[];
      ring_after: CompactEntry[];
    }[];
  }>("grant_random")
).cases;

const slash24 = cidrRange(parseIpv4Cidr("10.0.0.0/24"));

function ringOf(self: string, entries: readonly RingEntry[], universe = slash24): Ring {
  const ring = new Ring(parsePeerName(self), universe);
  ring.replace({ entries, seeds: [] });
  return ring;
}

for (const given of operations) {
  test(`${given.op} leaves the entries of the original: ${given.name}`, () => {
    const ring = ringOf(given.us, given.before.map(toEntry));
    if (given.op === "grant") {
      ring.grant(toRange(given.range), parsePeerName(given.to));
    } else if (given.op === "transfer") {
      const ranges = ring.transfer(parsePeerName(given.from), parsePeerName(given.to));
      expect(ranges.map(fromRange)).toEqual(given.returned_ranges);
    } else {
      expect(reportFree(ring, given.free)).toBe(given.updated);
    }
    expect(ring.entries.map(fromEntry)).toEqual(given.after);
    expect(ringFault(ring.state())).toBeUndefined();
  });
}

/** `free` counts per range of ours, by start. */
function reportFree(ring: Ring, free: Record<string, number>): boolean {
  let updated = false;
  for (const [index, entry] of ring.entries.entries()) {
    if (entry.peer !== ring.self) continue;
    const counts = ring.entryRanges(index).map(({ start }) => free[formatIpv4(start)] ?? 0);
    const sum = counts.reduce((a, b) => a + b);
    updated = ring.reportFree(index, sum) || updated;
  }
  return updated;
}

for (const given of states) {
  test(`a ring shows its owners, donors and heir, or its fault: ${given.name}`, () => {
    const state = toRing(given.ring);
    expect(ringFault(state)).toBe(given.invariant_error);
    expect(readOriginalRing(fromHex(given.gob_hex))).toEqual(state);
    if (given.invariant_error !== undefined) return;
    const ring = ringOf(given.ring.Peer, state.entries, state.universe);
    expect(ring.isEmpty).toBe(given.empty ?? false);
    expect(ownedRanges(ring)).toEqual(given.owned_ranges);
    expect(reportRanges(ring)).toEqual(given.report_ranges);
    for (const { range, candidates_any_order } of given.space_donor_candidates_seen_by_ring_peer ??
      []) {
      const donors = ring.donors(cidrRange(parseIpv4Cidr(range)), seededRandom(1));
      expect(donors.map(({ peer }) => formatPeerName(peer)).sort()).toEqual(
        candidates_any_order.sort(),
      );
    }
    const heirIf = (known: (peer: PeerName) => boolean): string =>
      formatPeerName(ring.heir(known) ?? noPeer);
    if (given.transfer_heir_if_all_known !== undefined) {
      const third = parsePeerName("03:00:00:00:00:03");
      expect(heirIf(() => true)).toBe(given.transfer_heir_if_all_known);
      expect(heirIf((peer) => peer === third)).toBe(given.transfer_heir_if_only_03_known!);
    }
  });
}

function ownedRanges(ring: Ring): Record<string, VectorRange[]> {
  const peers = [...new Set(ring.entries.map(({ peer }) => peer))];
  return Object.fromEntries(
    peers.map((peer) => [formatPeerName(peer), ring.rangesOf(peer).map(fromRange)]),
  );
}

function reportRanges(ring: Ring): RingStateCase["report_ranges"] {
  return ring.entries.flatMap((entry, index) =>
    ring.entryRanges(index).map((range) => ({
      ...fromRange(range),
      Peer: formatPeerName(entry.peer),
      Size: range.end - range.start,
      Version: entry.version,
    })),
  );
}

for (const given of seedings) {
  test(`${given.normalized_seeds.length} of ${given.consensus_value.length} named peers share ${given.universe}`, () => {
    const ring = new Ring(noPeer, cidrRange(parseIpv4Cidr(given.universe)));
    ring.seed(given.consensus_value.map(parsePeerName));
    expect(ring.seeds.map(formatPeerName)).toEqual(given.normalized_seeds);
    expect(ring.entries.map(fromEntry)).toEqual(given.entries);
    expect(ringFault(ring.state())).toBeUndefined();
  });
}

test(`${grants.length} random grants leave the entries of the original`, () => {
  const universe = { start: slash24.start, end: slash24.start + 64 };
  const names = ["01:00:00:00:00:01", "02:00:00:00:00:02", "03:00:00:00:00:03"].map(parsePeerName);
  const entry = ([offset, peer, version, free]: CompactEntry): RingEntry => ({
    token: universe.start + offset,
    peer: names[peer]!,
    version,
    free,
  });
  for (const given of grants) {
    const ring = ringOf("01:00:00:00:00:01", given.ring.map(entry), universe);
    const [start, end] = given.grant;
    ring.grant({ start: universe.start + start, end: universe.start + end }, names[given.to]!);
    expect(ring.entries).toEqual(given.ring_after.map(entry));
  }
});

test("every address has the owner of the entry that it lies in", () => {
  const ring = ringOf("01:00:00:00:00:01", [
    { token: parseIpv4("10.0.0.10"), peer: parsePeerName("::1"), version: 0, free: 0 },
    { token: parseIpv4("10.0.0.128"), peer: parsePeerName("::2"), version: 0, free: 0 },
  ]);
  const owner = (address: string): number | undefined => ring.ownerOf(parseIpv4(address));
  expect(owner("10.0.0.9")).toBe(2);
  expect(owner("10.0.0.10")).toBe(1);
  expect(owner("10.0.0.127")).toBe(1);
  expect(owner("10.0.0.255")).toBe(2);
  expect(new Ring(noPeer, slash24).ownerOf(parseIpv4("10.0.0.1"))).toBeUndefined();
});

test("the low part of a range that wraps around the end is given away in order", () => {
  const us = parsePeerName("::1");
  const ring = ringOf("::1", [{ token: parseIpv4("10.0.0.10"), peer: us, version: 3, free: 256 }]);
  ring.grant({ start: parseIpv4("10.0.0.4"), end: parseIpv4("10.0.0.8") }, parsePeerName("::2"));
  expect(ringFault(ring.state())).toBeUndefined();
  expect(
    ring.entries.map(({ token, peer, free }) => [formatIpv4(token), peer as number, free]),
  ).toEqual([
    ["10.0.0.4", 2, 4],
    ["10.0.0.8", 1, 2],
    ["10.0.0.10", 1, 250],
  ]);
});

test("a peer with more free addresses is asked first more often", () => {
  const ring = ringOf("01:00:00:00:00:01", [
    { token: parseIpv4("10.0.0.0"), peer: parsePeerName("::2"), version: 0, free: 90 },
    { token: parseIpv4("10.0.0.128"), peer: parsePeerName("::3"), version: 0, free: 10 },
  ]);
  const random = seededRandom(1);
  let larger = 0;
  for (let i = 0; i < 1000; i++) if (ring.donors(slash24, random)[0]?.free === 90) larger++;
  expect(larger).toBeGreaterThan(850);
  expect(larger).toBeLessThan(1000);
});

test("a version at the top of its 32 bits stays there", () => {
  const token = parseIpv4("10.0.0.0");
  const ring = ringOf("01:00:00:00:00:01", [
    { token, peer: parsePeerName("01:00:00:00:00:01"), version: 2 ** 32 - 1, free: 256 },
  ]);
  ring.reportFree(0, 255);
  expect(ring.entries[0]?.version).toBe(2 ** 32 - 1);
});
