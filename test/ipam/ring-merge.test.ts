import { expect, test } from "bun:test";
import { errorText } from "../../lib/base/errors.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { AddressSet } from "../../lib/ipam/address-set.ts";
import { singleAddress } from "../../lib/ipam/range.ts";
import type { RingEntry, RingState } from "../../lib/ipam/ring-entry.ts";
import { type MergedRing, mergeRings, mergeUndisputed } from "../../lib/ipam/ring-merge.ts";
import { vectors } from "./vectors.ts";

type CompactEntry = [offset: number, peer: number, version: number, free: number];

const { cases } = await vectors<{
  cases: {
    ring: CompactEntry[];
    incoming: CompactEntry[];
    allocated: number[];
    ring_after: CompactEntry[];
    updated?: boolean;
    error?: string;
  }[];
}>("merge_random");

const universe = { start: 0x0a000000, end: 0x0a000040 };
const names = ["01:00:00:00:00:01", "02:00:00:00:00:02", "03:00:00:00:00:03"].map(parsePeerName);
const [us, second, third] = [names[0]!, names[1]!, names[2]!];

function entry([offset, peer, version, free]: CompactEntry): RingEntry {
  return { token: universe.start + offset, peer: names[peer]!, version, free };
}

function ring(entries: CompactEntry[]): RingState {
  return { universe, entries: entries.map(entry), seeds: [] };
}

function merge(
  ours: RingState,
  theirs: RingState,
  allocated: number[],
  how: typeof mergeRings | typeof mergeUndisputed = mergeRings,
): MergedRing | undefined {
  const own = ours.entries.flatMap((each, index) => {
    if (each.peer !== us) return [];
    const wraps = index === ours.entries.length - 1;
    const head = { start: universe.start, end: ours.entries[0]!.token };
    return [
      { start: each.token, end: ours.entries[index + 1]?.token ?? universe.end },
      ...(wraps ? [head] : []),
    ];
  });
  let free = AddressSet.of(own);
  for (const offset of allocated) free = free.without(singleAddress(universe.start + offset));
  return how(ours, theirs, {
    self: us,
    isInUse: (range) => free.countIn(range) < range.end - range.start,
    describe: formatPeerName,
  });
}

test(`${cases.length} random merges end in the ring or the error of the original`, () => {
  for (const given of cases) {
    const ours = ring(given.ring);
    let error: string | undefined;
    let merged: MergedRing | undefined;
    try {
      merged = merge(ours, ring(given.incoming), given.allocated);
    } catch (thrown) {
      error = errorText(thrown);
    }
    expect(error).toBe(given.error);
    if (merged === undefined) {
      const owners = (entries: readonly RingEntry[]): unknown =>
        entries.map((e) => [e.token, e.peer]);
      expect(owners(ours.entries)).toEqual(owners(given.ring_after.map(entry)));
    } else {
      expect(merged.entries).toEqual(given.ring_after.map(entry));
      expect(merged.changed).toBe(given.updated!);
    }
  }
});

test("what a merge accepted changes nothing when it comes again", () => {
  for (const given of cases.filter(({ error }) => error === undefined)) {
    const once = merge(ring(given.ring), ring(given.incoming), given.allocated)!;
    const ours = { universe, entries: once.entries, seeds: [] };
    // Addresses allocated in a range that was lost are no longer a matter of this ring.
    const twice = merge(ours, ring(given.incoming), []);
    expect(twice?.changed).toBe(false);
  }
});

test("a ring that disputes one range still tells about the others", () => {
  const ours = ring([
    [0, 0, 1, 31],
    [32, 1, 4, 32],
  ]);
  const theirs = ring([
    [0, 2, 101, 32],
    [32, 1, 5, 16],
    [48, 2, 0, 16],
  ]);
  expect(() => merge(ours, theirs, [7])).toThrow("Received update for IP range I own");
  expect(merge(ours, theirs, [7], mergeUndisputed)?.entries).toEqual([
    entry([0, 0, 1, 31]),
    entry([32, 1, 5, 16]),
    entry([48, 2, 0, 16]),
  ]);
});

test("nothing is had of a disputed ring when our own ranges are all it speaks of", () => {
  const ours = ring([[0, 0, 1, 63]]);
  expect(merge(ours, ring([[0, 2, 1, 64]]), [7], mergeUndisputed)).toBeUndefined();
  expect(
    merge(
      ours,
      ring([
        [0, 0, 1, 32],
        [32, 1, 0, 32],
      ]),
      [40],
      mergeUndisputed,
    ),
  ).toBeUndefined();
});

test("a disputed ring never costs us a range, however it is made", () => {
  for (const given of cases) {
    const ours = ring(given.ring);
    const merged = merge(ours, ring(given.incoming), given.allocated, mergeUndisputed);
    if (merged === undefined) continue;
    for (const own of ours.entries.filter(({ peer }) => peer === us)) {
      expect(merged.entries.find(({ token }) => token === own.token)?.peer).toBe(us);
    }
    const before = ours.entries.filter(({ peer }) => peer === us).length;
    expect(merged.entries.filter(({ peer }) => peer === us).length).toBeGreaterThanOrEqual(before);
  }
});

test("the names of both lists of seeds are shown when they differ", () => {
  const seeded = (seeds: number[]): RingState => ({
    ...ring([[0, 0, 0, 64]]),
    seeds: seeds.map((s) => names[s]!),
  });
  expect(() => merge(seeded([0, 1]), seeded([2]), [])).toThrow(
    `IP allocation was seeded by different peers (received: [${formatPeerName(third)}], ours: [${formatPeerName(us)} ${formatPeerName(second)}])`,
  );
});

test("of very many seeds a few are shown, and of more than can be the ring is refused", () => {
  const ours = { ...ring([[0, 0, 0, 64]]), seeds: [us] };
  const seeded = (count: number): RingState => ({
    ...ring([[0, 0, 0, 64]]),
    seeds: Array.from({ length: count }, (_, index) => (index + 10) as PeerName),
  });
  const reason = (count: number): string => {
    try {
      merge(ours, seeded(count), []);
      return "";
    } catch (error) {
      return errorText(error);
    }
  };
  expect(reason(4096)).toContain("… 4096 in all], ours:");
  expect(reason(4096).length).toBeLessThan(1000);
  expect(reason(4097)).toBe("Ring was seeded by more than 4096 peers");
});
