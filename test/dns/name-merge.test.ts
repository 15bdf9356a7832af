import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { type Entry, identityOf, inWireOrder, makeEntry } from "../../lib/dns/entry.ts";
import { EntryStore } from "../../lib/dns/entry-store.ts";
import { mergeEntries } from "../../lib/dns/name-merge.ts";
import { fuzz } from "../fuzz/mutate.ts";
import cases from "../vectors/dns/merge_cases.json";
import random from "../vectors/dns/merge_random.json";
import { fromVector, otherName, ownName, said, TableBench, toVector } from "./names.ts";

/** The two cases in which being like the original would be wrong (D1). */
const deliberatelyDifferent = ["duplicate_entries", "letter_case_twins"];

describe("recorded merges", () => {
  for (const vector of cases.cases) {
    if (deliberatelyDifferent.includes(vector.name)) continue;
    const payload = fromHex(vector.incoming.hex);
    const bench = (): TableBench => {
      const planted = (vector.state_before ?? []).map(fromVector);
      const made = new TableBench(vector.now, planted, { self: parsePeerName(vector.our_peer) });
      for (const name of vector.peers_not_in_topology) made.strangers.add(parsePeerName(name));
      return made;
    };
    const expectAfterwards = (made: TableBench): void => {
      expect(made.state()).toEqual(vector.state_after ?? []);
      const own = made.takeBroadcasts().map((sent) => sent.entries.map(toVector));
      expect(own).toEqual((vector.own_broadcasts ?? []).map((sent) => sent.Entries));
    };

    if (vector.error !== undefined) {
      test(`${vector.rule}: the payload is refused and changes nothing`, () => {
        const made = bench();
        const before = made.state();
        expect(() => made.table.onGossip(otherName, payload)).toThrow(vector.error);
        expect(() => made.table.onBroadcast(otherName, payload)).toThrow(vector.error);
        expect(made.state()).toEqual(before);
        expect(made.broadcasts).toEqual([]);
      });
      continue;
    }

    test(`${vector.rule} (by periodic gossip)`, () => {
      const made = bench();
      const relay = made.table.onGossip(otherName, payload);
      expect(said(relay).entries.map(toVector)).toEqual(
        vector.if_periodic_gossip_relay_to_neighbours ?? [],
      );
      expectAfterwards(made);
    });

    test(`${vector.rule} (by broadcast)`, () => {
      const made = bench();
      const relay = made.table.onBroadcast(otherName, payload);
      expect(said(relay).entries.map(toVector)).toEqual(vector.if_broadcast_relay_onward ?? []);
      if (relay !== undefined) expect(said(relay).timestampS).toBe(vector.incoming.Timestamp);
      expectAfterwards(made);
    });
  }
});

describe("where the original fails", () => {
  const named = (name: string) => {
    const vector = cases.cases.find((each) => each.name === name)!;
    const bench = new TableBench(vector.now, (vector.state_before ?? []).map(fromVector));
    return { bench, payload: fromHex(vector.incoming.hex) };
  };

  test("an identity repeated within one message counts once", () => {
    const { bench, payload } = named("duplicate_entries");
    const relay = bench.table.onBroadcast(otherName, payload);
    expect(bench.state()).toHaveLength(1);
    expect(said(relay).entries.map(toVector)).toEqual(bench.state());
  });

  test("letter-case twins do not multiply, and only one of them is passed on", () => {
    const { bench, payload } = named("letter_case_twins");
    const hostnames = (): string[] => bench.state().map((entry) => entry.Hostname);
    expect(hostnames()).toEqual(["Foo.weave.local.", "foo.weave.local."]);
    for (let round = 0; round < 5; round++) {
      expect(bench.table.onGossip(otherName, payload)).toBeUndefined();
      expect(said(bench.table.onBroadcast(otherName, payload)).entries).toHaveLength(1);
    }
    expect(hostnames()).toEqual(["Foo.weave.local.", "foo.weave.local."]);
    expect(said(bench.table.full()).entries).toHaveLength(1);
    expect(bench.table.addressesOf("foo.weave.local.")).toHaveLength(1);
  });
});

type Compact = readonly (string | number)[];

describe("random merges", () => {
  const nowS = 1_700_000_000;
  const peer = (number: number): PeerName => number as PeerName;
  const expand = (compact: Compact): Entry =>
    makeEntry({
      hostname: String(compact[0]),
      origin: peer(Number(compact[1])),
      containerId: String(compact[2]),
      address: Number(compact[3]),
      version: Number(compact[4]),
      tombstone: compact[5] === 0 ? 0 : nowS + Number(compact[5]) - 100,
    });
  const compact = (entry: Entry): Compact => [
    entry.hostname,
    entry.origin,
    entry.containerId,
    entry.address,
    entry.version,
    entry.tombstone === 0 ? 0 : 100 + entry.tombstone - nowS,
  ];
  const sorted = (entries: Iterable<Entry>): Compact[] =>
    [...entries].sort(inWireOrder).map(compact);

  test("all 200 have the recorded result, relays and corrections", () => {
    for (const [index, vector] of random.cases.entries()) {
      const store = new EntryStore();
      for (const entry of vector.state) store.put(expand(entry));
      const incoming = vector.incoming
        .map(expand)
        .filter((entry) => entry.origin !== vector.unknown_peer);
      const outcome = mergeEntries(store, incoming, { self: peer(1), nowS });
      const label = `case ${index}`;
      expect([label, sorted(store.all())]).toEqual([label, vector.state_after]);
      expect([label, sorted(outcome.fresh)]).toEqual([label, vector.new]);
      expect([label, sorted(outcome.passOn)]).toEqual([label, vector.relay]);
      expect([label, sorted(outcome.corrections)]).toEqual([label, vector.own_broadcast]);
    }
    expect(random.cases).toHaveLength(200);
  });
});

const anyEntry = fc
  .record({
    hostname: fc.constantFrom("a.w.", "A.w.", "b.w.", "c.d.w."),
    origin: fc.constantFrom(ownName, otherName, 3 as PeerName),
    containerId: fc.constantFrom("x", "y"),
    address: fc.constantFrom(1, 2),
    version: fc.integer({ min: 0, max: 5 }),
    tombstone: fc.constantFrom(0, 1_700_000_000, 1_700_000_007),
  })
  .map(makeEntry);
const foreignEntry = anyEntry.filter((entry) => entry.origin !== ownName);
const context = { self: ownName, nowS: 1_700_000_010 };

describe("properties of merging", () => {
  test("hearing the same again changes nothing", () => {
    fc.assert(
      fc.property(fc.array(anyEntry), fc.array(anyEntry), (state, incoming) => {
        const store = new EntryStore();
        for (const entry of state) store.put(entry);
        const first = mergeEntries(store, incoming, context);
        const changes = store.changes;
        expect(mergeEntries(store, first.passOn, context).fresh).toEqual([]);
        expect(store.changes).toBe(changes);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("the order in which messages arrive makes no difference", () => {
    fc.assert(
      fc.property(fc.array(foreignEntry), fc.array(foreignEntry), (one, two) => {
        const left = new EntryStore();
        for (const message of [one, two]) mergeEntries(left, message, context);
        const right = new EntryStore();
        for (const message of [two, one]) mergeEntries(right, message, context);
        expect([...left.all()].sort(inWireOrder)).toEqual([...right.all()].sort(inWireOrder));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("no version goes down, and our own live names stay live", () => {
    fc.assert(
      fc.property(fc.array(anyEntry), fc.array(anyEntry), (state, incoming) => {
        const store = new EntryStore();
        for (const entry of state) store.put(entry);
        const before = new Map([...store.all()].map((entry) => [identityOf(entry), entry]));
        mergeEntries(store, incoming, context);
        for (const [identity, entry] of before) {
          const after = [...store.all()].find((each) => identityOf(each) === identity)!;
          expect(after.version).toBeGreaterThanOrEqual(entry.version);
          if (entry.origin === ownName) expect(after.tombstone).toBe(entry.tombstone);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

test("100 000 damaged payloads leave a table that still answers and still can be said", () => {
  const corpus = cases.cases.map((vector) => fromHex(vector.incoming.hex));
  const bench = new TableBench();
  fuzz(2, corpus, 100_000, (mutant) => {
    try {
      bench.table.onBroadcast(otherName, mutant);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
    bench.broadcasts.length = 0;
  });
  bench.table.lookup("one.weave.local");
  const heard = new TableBench();
  for (const payload of bench.table.full()?.encode() ?? []) {
    heard.table.onGossip(otherName, payload);
  }
  expect(heard.state().length).toBeGreaterThan(0);
});
