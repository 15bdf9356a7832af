import { expect, test } from "bun:test";
import { fromHex } from "../../lib/base/bytes.ts";
import { errorText } from "../../lib/base/errors.ts";
import { parseIpv4, parseIpv4Cidr } from "../../lib/base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import type { HeldAddress } from "../../lib/ipam/held-addresses.ts";
import { Ledger } from "../../lib/ipam/ledger.ts";
import { cidrRange } from "../../lib/ipam/range.ts";
import { decodeState } from "../../lib/ipam/state-codec.ts";
import { fromEntry, type MergeCase, toEntry, toRing, vectors } from "./vectors.ts";

const { cases } = await vectors<{ cases: MergeCase[] }>("merge_cases");

for (const given of cases) {
  const end = given.error === undefined ? "accepted" : "refused";
  test(`a received ring is ${end} as by the original: ${given.name}`, () => {
    const ledger = ledgerOf(given);
    const { ring: incoming } = decodeState(fromHex(given.incoming_hex));
    expect(incoming).toEqual(toRing(given.incoming_ring));
    let error: string | undefined;
    try {
      ledger.merge(incoming!, describe);
    } catch (thrown) {
      error = errorText(thrown);
    }
    expect(error).toBe(given.error);
    expect(ledger.ring.entries.map(fromEntry)).toEqual(
      (given.ring_after_merge ?? given.ring_after)!,
    );
    if (given.seeds_after !== undefined) {
      expect(ledger.ring.seeds.map(formatPeerName)).toEqual(given.seeds_after);
    }
    // The original dies here when it accepted the loss of a range.
    ledger.assertConsistent();
    ledger.reportFree();
    if (given.ring_after_free_report !== undefined) {
      expect(ledger.ring.entries.map(fromEntry)).toEqual(given.ring_after_free_report);
    }
  });
}

function describe(peer: PeerName): string {
  return `${formatPeerName(peer)}(host${peer % 256})`;
}

function held(address: string): HeldAddress {
  const cidr = { address: parseIpv4(address), prefix: 24 };
  return { ident: `c-${address}`, isContainer: false, cidr };
}

function ledgerOf(given: MergeCase): Ledger {
  const universe = cidrRange(parseIpv4Cidr(given.universe));
  const ledger = new Ledger(parsePeerName(given.our_peer), universe);
  const seeds = given.seeds_before.map(parsePeerName);
  const ring = { universe, entries: given.ring_before.map(toEntry), seeds };
  ledger.restore(ring, given.allocated_addresses.map(held));
  return ledger;
}

test("a range that is lost and comes back finds the addresses still held in it", () => {
  const universe = cidrRange(parseIpv4Cidr("10.0.0.0/24"));
  const [us, other] = [parsePeerName("::1"), parsePeerName("::2")];
  const ledger = new Ledger(us, universe);
  ledger.seed([us]);
  ledger.hold(held("10.0.0.7"));
  ledger.transfer(us, other);
  ledger.assertConsistent();
  expect(ledger.heldOutside).toBe(1);
  ledger.transfer(other, us);
  ledger.assertConsistent();
  expect(ledger.heldOutside).toBe(0);
  expect(ledger.space.free.has(parseIpv4("10.0.0.7"))).toBe(false);
  expect(ledger.space.free.size).toBe(255);
});

test("an allocation is stored as one row, without the ring", () => {
  const ledger = new Ledger(parsePeerName("::1"), cidrRange(parseIpv4Cidr("10.0.0.0/24")));
  ledger.seed([parsePeerName("::1")]);
  ledger.reportFree();
  ledger.saved(ledger.unsaved(false)!);
  ledger.hold(held("10.0.0.7"));
  ledger.reportFree();
  const change = ledger.unsaved(false)!;
  expect(change.added).toEqual([held("10.0.0.7")]);
  expect(change.ring).toBeUndefined();
  ledger.saved(change);
  expect(ledger.unsaved(false)).toBeUndefined();
  expect(ledger.unsaved(true)?.ring?.entries[0]?.free).toBe(255);
});

test("an address that changes hands in one action is stored as acquired last", () => {
  const ledger = new Ledger(parsePeerName("::1"), cidrRange(parseIpv4Cidr("10.0.0.0/24")));
  ledger.seed([parsePeerName("::1")]);
  ledger.hold(held("10.0.0.7"));
  ledger.hold(held("10.0.0.8"));
  ledger.saved(ledger.unsaved(false)!);
  ledger.release(parseIpv4("10.0.0.7"));
  ledger.hold({ ...held("10.0.0.7"), ident: "c-10.0.0.8" });
  const change = ledger.unsaved(false)!;
  expect(change.removed).toEqual([parseIpv4("10.0.0.7")]);
  expect(change.added.map(({ ident }) => ident)).toEqual(["c-10.0.0.8"]);
});

test("what an unstored life reported of a range that has been split since is outbid", () => {
  const [self, other] = [parsePeerName("::1"), parsePeerName("::2")];
  const ledger = new Ledger(self, cidrRange(parseIpv4Cidr("10.0.0.0/24")));
  ledger.seed([self]);
  const [start] = ledger.ring.entries;
  const half = { start: start!.token + 128, end: start!.token + 256 };
  ledger.grant(half, other);
  const [granted] = ledger.ring.entries;
  const echo = { ...ledger.ring.state(), entries: [{ ...granted!, free: 256 }] };
  expect(ledger.merge(echo, String)).toBe(false);
  expect(ledger.ring.entries[0]).toEqual({ ...granted!, version: granted!.version + 1 });
});
