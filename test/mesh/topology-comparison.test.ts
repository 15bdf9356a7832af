import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emptyBytes } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { type PeerRecord, supersedes } from "../../lib/mesh/peer-record.ts";
import { Peers, peersMax } from "../../lib/mesh/peers.ts";
import { bulkyRecordsMin, TopologyChannel } from "../../lib/mesh/topology-channel.ts";
import { decodeTopology } from "../../lib/mesh/topology-codec.ts";
import { fuzz } from "../fuzz/mutate.ts";
import { nameOf, type SketchedPeer, sketch } from "./records.ts";

/** The topology as peer `self` knows it. */
function view(self: number, records: readonly SketchedPeer[]) {
  const own = records.find(({ n }) => n === self) ?? { n: self, version: 0n };
  const peers = new Peers(sketch(own));
  peers.apply(records.filter(({ n }) => n !== self).map(sketch));
  return { peers, channel: new TopologyChannel(peers, () => {}) };
}

type View = ReturnType<typeof view>;

/** What `to` is told after a digest of `from`: names in ascending order. */
function told(from: View, to: View): PeerName[] {
  return transferred(from, to).map(({ name }) => name);
}

function transferred(from: View, to: View): PeerRecord[] {
  const digest = from.channel.comparison.digest();
  const inquiry = to.channel.comparison.inquire(nameOf(9), digest);
  if (inquiry === undefined) return [];
  const payloads = from.channel.comparison.answer(inquiry)?.encode() ?? [];
  return payloads.flatMap((payload) => {
    to.channel.onGossip(nameOf(9), payload);
    return decodeTopology(payload).records;
  });
}

const three: readonly SketchedPeer[] = [
  { n: 1, version: 3n, links: [[2], [3]] },
  { n: 2, version: 4n, links: [[1]] },
  { n: 3, version: 5n, links: [[1]] },
];

describe("neighbours that know the same", () => {
  test("say the same digest, in whatever order they heard it", () => {
    const one = view(1, three).channel.comparison.digest();
    expect(view(2, three.toReversed()).channel.comparison.digest()).toEqual(one);
    expect(one).toHaveLength(16);
  });

  test("tell each other nothing", () => {
    expect(told(view(1, three), view(2, three))).toEqual([]);
  });

  test("need not have heard of the same peers that nobody described", () => {
    const claimed: SketchedPeer[] = [{ n: 1, version: 3n, links: [[2], [7]] }];
    const one = view(2, claimed);
    one.peers.remove(nameOf(7));
    const other = view(2, claimed);
    expect(other.peers.has(nameOf(7))).toBe(true);
    expect(told(one, other)).toEqual([]);
  });
});

describe("a neighbour", () => {
  test("that lacks a record is told it and nothing else", () => {
    expect(told(view(1, three), view(2, three.slice(0, 2)))).toEqual([nameOf(3)]);
  });

  test("that has an older record is told the newer one", () => {
    const older = three.map((peer) => (peer.n === 3 ? { ...peer, version: 4n } : peer));
    expect(told(view(1, three), view(2, older))).toEqual([nameOf(3)]);
  });

  test("that has newer records is told none of ours", () => {
    const newer = three.map((peer) => ({ ...peer, version: 9n }));
    expect(told(view(1, three), view(2, newer))).toEqual([]);
  });

  test("that knows nothing is told everything that is known", () => {
    const empty = view(4, []);
    expect(told(view(1, three), empty)).toEqual([nameOf(1), nameOf(2), nameOf(3)]);
    expect(told(view(1, three), empty)).toEqual([]);
  });

  test("that has a record without the short id is told the one with it", () => {
    const one = view(1, three);
    const two = view(2, three);
    two.peers.remove(nameOf(3));
    two.peers.apply([{ ...sketch(three[2]!), shortId: undefined }]);
    expect(told(one, two)).toEqual([nameOf(3)]);
  });

  test("that started again is told of its former incarnation", () => {
    const former = transferred(view(1, three), view(2, [{ n: 2, uid: 77n, version: 0n }]));
    expect(former.find(({ name }) => name === nameOf(2))?.version).toBe(4n);
  });

  test("that asks with no octets is told everything", () => {
    const payload = view(1, three).channel.comparison.answer(emptyBytes)!.encode()[0]!;
    expect(decodeTopology(payload).records).toHaveLength(3);
  });
});

test("whatever two neighbours know, comparing both ways leaves them with the newer of each", () => {
  const known = fc.uniqueArray(
    fc.record({
      n: fc.integer({ min: 3, max: 12 }),
      version: fc.bigInt({ min: 1n, max: 4n }),
      uid: fc.bigInt({ min: 1n, max: 3n }),
    }),
    { selector: ({ n }) => n },
  );
  fc.assert(
    fc.property(known, known, (ours, theirs) => {
      const a = view(1, ours);
      const b = view(2, theirs);
      const sent = [...transferred(a, b), ...transferred(b, a)];
      for (const n of [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) {
        const [left, right] = [a.peers.get(nameOf(n)), b.peers.get(nameOf(n))];
        expect(left?.version).toBe(right?.version);
        expect(left?.uid).toBe(right?.uid);
      }
      for (const record of sent) {
        const before = [...ours, ...theirs].filter(({ n }) => nameOf(n) === record.name);
        for (const each of before) expect(supersedes(sketch(each), record)).toBe(false);
      }
      expect(transferred(a, b)).toEqual([]);
    }),
    { seed: 1, numRuns: 300 },
  );
});

describe("an inquiry", () => {
  test("that is no list, or longer than any cluster, is refused", () => {
    const { comparison } = view(1, three).channel;
    expect(() => comparison.answer(new Uint8Array(22))).toThrow("22 octets are no list of records");
    expect(() => comparison.answer(new Uint8Array(23 * (peersMax + 1)))).toThrow("no list");
  });

  test("that is damaged is answered with records or refused, and does no harm", () => {
    const one = view(1, three);
    const corpus = [view(2, three).channel.comparison.inquire(nameOf(1), emptyBytes)!];
    fuzz(17, corpus, 5_000, (mutant) => {
      try {
        one.channel.comparison.answer(mutant)?.encode();
      } catch (error) {
        if (!(error instanceof WeaveError && error.code === "TOPOLOGY_INQUIRY")) throw error;
      }
    });
    expect(one.peers.size).toBe(3);
  });
});

describe("news of many peers", () => {
  test("is bulky, and that of a few is told as it is", () => {
    const peers = Array.from({ length: bulkyRecordsMin }, (_, index) => nameOf(index + 1));
    const { channel } = view(1, three);
    const [few, more] = [peers.slice(1), peers.slice(0, 1)].map((names) =>
      channel.records(new Set(names)),
    );
    expect(few!.isBulky).toBe(false);
    expect(few!.merge(more!).isBulky).toBe(true);
    expect(channel.full().isBulky).toBe(true);
  });
});
