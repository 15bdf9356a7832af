import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../../lib/base/bytes.ts";
import { WeaveError } from "../../../lib/base/errors.ts";
import { formatPeerName, type PeerName } from "../../../lib/base/peer-name.ts";
import type { World } from "../../../lib/base/world.ts";
import { decodeRecords, encodeRecords } from "../../../lib/policy/gossip/record-codec.ts";
import {
  documentsMax,
  ownCharsMax,
  ownRecordsMax,
  type RecordStore,
} from "../../../lib/policy/gossip/record-table.ts";
import {
  absenceMaxMs,
  aheadMaxMs,
  documentTombstoneMs,
  forgetfulStore,
  SharedPolicy,
} from "../../../lib/policy/gossip/shared-policy.ts";
import { contentMax, type SharedRecord } from "../../../lib/policy/gossip/shared-record.ts";
import { compareStamps, countMax, HybridClock } from "../../../lib/policy/gossip/stamp.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";

const [one, two] = [0x010000000001 as PeerName, 0x020000000002 as PeerName];

const deny = { kind: "NetworkPolicy", scope: "default", name: "deny" } as const;

const record = (change: Partial<SharedRecord> = {}): SharedRecord => ({
  ...deny,
  stamp: { wallMs: 1_600_000_000_000, count: 0, peer: one },
  content: '{"kind":"NetworkPolicy"}',
  ...change,
});

/** A peer of its own, with a clock that stands still unless it is run. */
function peer(
  name: PeerName = one,
  known: ReadonlySet<PeerName> = new Set([one, two]),
  store: RecordStore = forgetfulStore,
): { policy: SharedPolicy; world: World; clock: VirtualClock; sent: Uint8Array[] } {
  const clock = new VirtualClock();
  const world = new SimWorld(clock, name);
  const policy = new SharedPolicy(world, {
    self: name,
    store,
    isKnownPeer: (each) => known.has(each),
  });
  const sent: Uint8Array[] = [];
  policy.setChannel({
    unicast: () => false,
    broadcast: (data) => void sent.push(...data.encode()),
  });
  return { policy, world, clock, sent };
}

describe("a stamp", () => {
  test("is after everything seen, though the clock stands still or goes back", () => {
    let nowMs = 1000;
    const clock = new HybridClock(one, () => nowMs);
    const first = clock.next();
    const second = clock.next();
    clock.saw({ wallMs: 5000, count: 7 });
    const third = clock.next();
    nowMs = 10;
    const fourth = clock.next();
    nowMs = 6000;
    const fifth = clock.next();
    const all = [first, second, third, fourth, fifth];
    expect(all.toSorted(compareStamps)).toEqual(all);
    expect(all.map(({ wallMs, count }) => [wallMs, count])).toEqual([
      [1000, 0],
      [1000, 1],
      [5000, 8],
      [5000, 9],
      [6000, 0],
    ]);
  });

  test("that has no room left in its millisecond goes into the next", () => {
    const clock = new HybridClock(one, () => 1);
    clock.saw({ wallMs: 4, count: countMax });
    expect(clock.next()).toEqual({ wallMs: 5, count: 0, peer: one });
  });
});

describe("records on the wire", () => {
  test("have these octets", () => {
    const [payload] = encodeRecords([record({ content: "{}" }), record({ content: undefined })]);
    expect(toHex(payload!)).toBe(recordedOctets);
    expect(decodeRecords(fromHex(recordedOctets)).records).toEqual([
      record({ content: "{}" }),
      record({ content: undefined }),
    ]);
  });

  test("are divided into messages, and all of them arrive", () => {
    const long = Array.from({ length: 100 }, (_, index) =>
      record({ name: `p${index}`, content: "x".repeat(contentMax) }),
    );
    const messages = encodeRecords(long);
    expect(messages.length).toBeGreaterThan(5);
    expect(messages.flatMap((each) => decodeRecords(each).records)).toEqual(long);
  });

  test("that no peer can have meant are left out, and the others taken", () => {
    const odd = [
      record({ kind: "" }),
      record({ name: "" }),
      record({ name: "n".repeat(257) }),
      record({ content: "x".repeat(contentMax + 1) }),
      record({ content: "" }),
      record({ kind: "Pod", scope: "default" }),
      record({ stamp: { wallMs: 1, count: countMax + 1, peer: one } }),
      record({ stamp: { wallMs: 1, count: 1, peer: (2 ** 48) as PeerName } }),
    ];
    const [payload] = encodeRecords([...odd, record()]);
    expect(decodeRecords(payload!)).toEqual({ records: [record()], refused: odd.length });
  });

  test("that are garbage are refused for a stated reason, at once", () => {
    const [whole] = encodeRecords([record(), record({ name: "other" })]);
    const { policy } = peer();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (damages) => {
        const payload = whole!.slice();
        for (const [at, octet] of damages) payload[at % payload.length] = octet;
        try {
          policy.onGossip(two, payload);
        } catch (error) {
          expect(error).toHaveProperty("code");
        }
        try {
          policy.comparison.answer(payload);
        } catch (error) {
          expect(error).toHaveProperty("code", "POLICY_INQUIRY");
        }
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe("what is said of one name", () => {
  test("ends alike at all peers, in whatever order they hear of it, and however often", () => {
    const sayings = fc.array(
      fc.record({
        name: fc.constantFrom("a", "b", "c"),
        stamp: fc.record({
          wallMs: fc.nat(3),
          count: fc.nat(2),
          peer: fc.constantFrom(one, two),
        }),
        content: fc.constantFrom("1", "2", undefined),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(sayings, fc.infiniteStream(fc.nat()), (all, order) => {
        const records = all.map((each) => record(each));
        const shuffled = records
          .map((each) => ({ each, at: order.next().value }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ each }) => each);
        const [first, second] = [peer(one), peer(two)];
        for (const each of records) first.policy.onGossip(two, encodeRecords([each])[0]!);
        for (const each of [...shuffled, ...shuffled]) {
          second.policy.onBroadcast(one, encodeRecords([each])[0]!);
        }
        const view = ({ policy }: typeof first) =>
          policy
            .records()
            .map((each) => JSON.stringify(each))
            .toSorted();
        expect(view(second)).toEqual(view(first));
        expect(first.policy.comparison.digest()).toEqual(second.policy.comparison.digest());
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("by this peer comes after what others said by clocks that are ahead", () => {
    const { policy, world } = peer();
    const aheadMs = world.now() + aheadMaxMs / 2;
    const theirs = record({ stamp: { wallMs: aheadMs, count: 3, peer: two }, content: "theirs" });
    policy.onGossip(two, encodeRecords([theirs])[0]!);
    policy.say([{ ...deny, content: "ours" }]);
    expect(policy.content(deny)).toBe("ours");
    policy.onGossip(two, encodeRecords([theirs])[0]!);
    expect(policy.content(deny)).toBe("ours");
  });

  test("by a clock that is days ahead is refused with the remedy", () => {
    const { policy, world } = peer();
    const stamp = { wallMs: world.now() + aheadMaxMs + 1, count: 0, peer: two };
    const payload = encodeRecords([record({ stamp })])[0]!;
    expect(() => policy.onGossip(two, payload)).toThrow("24 h ahead");
    expect(policy.records()).toEqual([]);
  });

  test("again and the same is no news", () => {
    const { policy, sent } = peer();
    expect(policy.say([{ ...deny, content: "1" }])).toHaveLength(1);
    expect(policy.say([{ ...deny, content: "1" }])).toEqual([]);
    expect(policy.say([{ ...deny, name: "other", content: undefined }])).toEqual([]);
    expect(sent).toHaveLength(1);
  });
});

describe("a peer", () => {
  test("that knows of no policy says nothing at all", () => {
    const { policy, sent } = peer();
    policy.sayOwn({ Pod: new Map(), Host: new Map() });
    expect([policy.full(), policy.comparison.digest(), sent]).toEqual([undefined, undefined, []]);
  });

  test("asks for what it lacks, and gets that alone", () => {
    const [first, second] = [peer(one), peer(two)];
    const shared = encodeRecords([record({ name: "shared" })])[0]!;
    for (const { policy } of [first, second]) policy.onGossip(one, shared);
    first.policy.say([{ ...deny, content: "new" }]);
    const inquiry = second.policy.comparison.inquire(one, first.policy.comparison.digest()!)!;
    const answer = first.policy.comparison.answer(inquiry)!.encode();
    expect(answer.flatMap((each) => decodeRecords(each).records)).toHaveLength(1);
    for (const each of answer) second.policy.onGossip(one, each);
    expect(
      second.policy.comparison.inquire(one, first.policy.comparison.digest()!),
    ).toBeUndefined();
  });

  test("takes what it is told of its own pods back when it has others", () => {
    const { policy, world } = peer();
    const scope = formatPeerName(one);
    const stamp = { wallMs: world.now() + aheadMaxMs / 2, count: 0, peer: one };
    const former = [
      record({ kind: "Pod", scope, name: "c0", stamp, content: "of an earlier life" }),
      record({ kind: "Pod", scope, name: "c1", stamp, content: "as it was once" }),
    ];
    policy.sayOwn({ Pod: new Map([["c1", "mine"]]), Host: new Map() });
    policy.onGossip(two, encodeRecords(former)[0]!);
    expect(policy.records().map(({ name, content }) => [name, content])).toEqual([["c1", "mine"]]);
  });

  test("forgets the pods of one that nothing leads to, after an hour, and passes them on no longer at once", () => {
    const known = new Set([one, two]);
    const { policy, clock } = peer(one, known);
    const scope = formatPeerName(two);
    policy.onGossip(two, encodeRecords([record({ kind: "Pod", scope, name: "c2" }), record()])[0]!);
    expect(policy.records("Pod")).toHaveLength(1);
    known.delete(two);
    policy.peerGone(two);
    const told = policy
      .full()!
      .encode()
      .flatMap((each) => decodeRecords(each).records);
    expect(told.map(({ kind }) => kind)).toEqual(["NetworkPolicy"]);
    clock.run(absenceMaxMs / 2);
    expect(policy.records("Pod")).toHaveLength(1);
    clock.run(absenceMaxMs);
    expect(policy.records("Pod")).toEqual([]);
    expect(policy.records("NetworkPolicy")).toHaveLength(1);
  });

  test("remembers what was removed, for a bounded time", () => {
    const { policy, clock } = peer();
    policy.say([{ ...deny, content: "1" }]);
    policy.say([{ ...deny, content: undefined }]);
    const old = record({ stamp: { wallMs: 1, count: 0, peer: two } });
    policy.onGossip(two, encodeRecords([old])[0]!);
    expect(policy.records()).toEqual([]);
    expect(policy.full()).toBeDefined();
    clock.run(documentTombstoneMs + 120_000);
    expect(policy.full()).toBeUndefined();
  });

  test("that has no room refuses what is new, and still takes what it knows", () => {
    const { policy } = peer();
    const all = Array.from({ length: documentsMax }, (_, index) => ({
      ...deny,
      ...{ name: `p${index}`, content: "1" },
    }));
    policy.say(all);
    expect(() => policy.say([{ ...deny, name: "one more", content: "1" }])).toThrow("no room");
    policy.say([{ ...deny, name: "p7", content: "2" }]);
    expect(policy.content({ ...deny, name: "p7" })).toBe("2");
  });

  test("takes a bounded share from each peer, and what it removes makes room", () => {
    const { policy } = peer();
    const scope = formatPeerName(two);
    const pod = (index: number, content: string | undefined, wallMs = 1) =>
      record({
        kind: "Pod",
        scope,
        name: `c${index}`,
        stamp: { wallMs, count: 0, peer: two },
        content,
      });
    const hear = (...records: SharedRecord[]): void => {
      for (const payload of encodeRecords(records)) policy.onGossip(two, payload);
    };
    const told = () => policy.records("Pod").length;
    hear(...Array.from({ length: ownRecordsMax + 5 }, (_, index) => pod(index, "{}")));
    expect(told()).toBe(ownRecordsMax);
    hear(pod(0, undefined, 2), pod(ownRecordsMax, "{}", 2));
    expect(told()).toBe(ownRecordsMax);
    expect(policy.content(pod(ownRecordsMax, "{}"))).toBe("{}");
    const large = "x".repeat(contentMax);
    const fits = Math.floor((ownCharsMax - 2 * ownRecordsMax) / contentMax);
    hear(...Array.from({ length: 2 * fits }, (_, index) => pod(index + 1, large, 3)));
    const grown = policy.records("Pod").filter(({ content }) => content === large);
    expect(grown).toHaveLength(fits);
  });
});

/** Definitions of three types, and a document that lives and is then removed by one stamp. */
const recordedOctets =
  "21ff8103010106506f6c69637901ff8200010101075265636f72647301ff8600000016ff85020101075265636f72647301ff860001ff84000061ff83030101065265636f726401ff8400010801044b696e64010c00010553636f7065010c0001044e616d65010c00010457616c6c0106000105436f756e740106000104506565720106000104446561640102000107436f6e74656e74010c00000069ff820102010d4e6574776f726b506f6c696379010764656661756c74010464656e7901fa0174876e800002fa01000000000102027b7d00010d4e6574776f726b506f6c696379010764656661756c74010464656e7901fa0174876e800002fa01000000000101010000";

describe("where nothing can be stored", () => {
  class FullDisk implements RecordStore {
    isFull = true;
    readonly stored = new Set<string>();

    all(): SharedRecord[] {
      return [];
    }

    save(records: readonly SharedRecord[]): void {
      this.#refuse();
      for (const { name } of records) this.stored.add(name);
    }

    erase(names: ReadonlyArray<{ readonly name: string }>): void {
      this.#refuse();
      for (const { name } of names) this.stored.delete(name);
    }

    #refuse(): void {
      if (this.isFull) throw new WeaveError("STORE_WRITE", "the disk is full");
    }
  }

  test("what others say holds all the same, and is stored when there is room", () => {
    const store = new FullDisk();
    const { policy } = peer(one, undefined, store);
    const observed: string[] = [];
    policy.observe((records) => observed.push(...records.map(({ name }) => name)));
    const [payload] = encodeRecords([record()]);
    policy.onGossip(two, payload!);
    expect(observed).toEqual(["deny"]);
    expect(policy.content(deny)).toBe(record().content!);
    store.isFull = false;
    policy.say([{ ...deny, name: "other", content: "{}" }]);
    expect([...store.stored]).toEqual(["deny", "other"]);
  });

  test("what is said here holds, is told to others, and its author hears that it is not kept", () => {
    const store = new FullDisk();
    const { policy, sent } = peer(one, undefined, store);
    expect(() => policy.say([{ ...deny, content: "{}" }])).toThrow("the disk is full");
    expect(policy.content(deny)).toBe("{}");
    expect(sent.length).toBe(1);
    policy.sayOwn({ Pod: new Map(), Host: new Map() });
  });

  test("what is over is forgotten all the same", () => {
    const store = new FullDisk();
    const { policy, clock } = peer(one, undefined, store);
    const [payload] = encodeRecords([record({ content: undefined })]);
    policy.onGossip(two, payload!);
    clock.run(documentTombstoneMs + absenceMaxMs);
    expect(policy.full()).toBeUndefined();
  });
});
