import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { nicknameMaxLength } from "../../lib/base/nickname.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import type { PeerRecord } from "../../lib/mesh/peer-record.ts";
import {
  decodeTopology,
  encodeTopology,
  encodeTopologyPayloads,
} from "../../lib/mesh/topology-codec.ts";
import { encodeGob, gob } from "../../lib/wire/gob.ts";
import { fuzz } from "../fuzz/mutate.ts";
import peerNames from "../vectors/mesh/peer-names.json";
import updates from "../vectors/mesh/topology-updates.json";
import variants from "../vectors/mesh/topology-variants.json";
import { recordOf, sketch } from "./records.ts";

describe("a topology payload", () => {
  for (const update of updates.updates) {
    test(`"${update.name}" is read and written as by the original`, () => {
      const records = update.peers.map(recordOf);
      expect(decodeTopology(fromHex(update.hex))).toEqual({ records, skipped: 0 });
      expect(toHex(encodeTopology(records))).toBe(update.hex);
    });
  }

  for (const variant of variants.cases) {
    test(`with ${variant.name} is ${variant.accepted ? "accepted" : "refused"}`, () => {
      const payload = fromHex(variant.hex);
      if (variant.name === "connection list longer than announced data") {
        // Accepting what is there would do as well; what is not there must not become a link.
        expect(linksOf(payload).length).toBeLessThanOrEqual(1);
      } else if (!variant.accepted) {
        expect(() => decodeTopology(payload)).toThrow("topology does not decode");
      } else {
        // Stricter than the original: a name that has not six octets is nobody's.
        const peers = (variant.peers ?? []).filter(({ nameByteHex }) => nameByteHex.length === 12);
        const skipped = (variant.peers ?? []).length - peers.length;
        expect(decodeTopology(payload)).toEqual({ records: peers.map(recordOf), skipped });
      }
    });
  }

  test("keeps its other records when one has a name of unusual length", () => {
    const names = gob.struct("peerSummary", { NameByte: gob.bytes, UID: gob.uint64 });
    for (const { bytesHex } of peerNames.binary) {
      const summary = encodeGob(names, { NameByte: fromHex(bytesHex), UID: 7n });
      // A list of no connections, as the recorded update has it.
      const list = fromHex(updates.updates[1]!.hex).subarray(98 + 1 + 34 + 1);
      const { records, skipped } = decodeTopology(new Uint8Array([...summary, ...list]));
      expect(records.length + skipped).toBe(1);
      expect(records.length).toBe(bytesHex.length === 12 ? 1 : 0);
    }
  });

  test("cuts nicknames that nobody could read and drops addresses that no socket has", () => {
    const record = sketch({ n: 1, links: [[2, { address: "x".repeat(1000) }]] });
    const long = { ...record, nickname: "n".repeat(5000) };
    const [read] = decodeTopology(encodeTopology([long])).records;
    expect(read!.nickname.length).toBe(nicknameMaxLength);
    expect([...read!.links.values()][0]!.address).toBe("");
  });

  test("of any records is read back as it was written", () => {
    fc.assert(
      fc.property(fc.array(records(), { maxLength: 8 }), (peers) => {
        expect(decodeTopology(encodeTopology(peers)).records).toEqual(peers);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("is split when it grows beyond the size wanted, and loses nothing by it", () => {
    fc.assert(
      fc.property(fc.array(records(), { minLength: 1, maxLength: 20 }), (peers) => {
        const payloads = encodeTopologyPayloads(peers, 2000);
        expect(payloads.flatMap((payload) => decodeTopology(payload).records)).toEqual(peers);
        // A record that is larger by itself goes alone; definitions take 200 octets.
        const crowded = payloads.filter((payload) => decodeTopology(payload).records.length > 1);
        for (const payload of crowded) expect(payload.length).toBeLessThan(2000 + 220);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("for 700 peers in a full mesh fits frames of 10 MiB", () => {
    const everybody = Array.from({ length: 700 }, (_, at) => at + 1);
    const peers = everybody.map((n) => ({
      ...sketch({ n, uid: 2n ** 63n, version: 1000n, links: everybody.map((to) => [to]) }),
      nickname: "a-nickname-of-28-characters-",
    }));
    const payloads = encodeTopologyPayloads(peers);
    expect(payloads.length).toBeGreaterThan(1);
    for (const payload of payloads) expect(payload.length).toBeLessThan(10 << 20);
    expect(payloads.reduce((sum, payload) => sum + payload.length, 0)).toBeGreaterThan(10 << 20);
  });

  test("never does anything but decode or be refused, however damaged", () => {
    const corpus = [...updates.updates, ...variants.cases].map(({ hex }) => fromHex(hex));
    let accepted = 0;
    fuzz(1, corpus, 40_000, (mutant) => {
      try {
        const { records } = decodeTopology(mutant);
        encodeTopology(records);
        accepted++;
      } catch (error) {
        if (!(error instanceof WeaveError)) throw error;
        expect(error.code).toBe("TOPOLOGY_FORMAT");
      }
    });
    expect(accepted).toBeGreaterThan(0);
  });
});

/** All links of a payload; none when it is refused. */
function linksOf(payload: Uint8Array): unknown[] {
  try {
    return decodeTopology(payload).records.flatMap(({ links }) => [...links.values()]);
  } catch (error) {
    if (error instanceof WeaveError) return [];
    throw error;
  }
}

function records(): fc.Arbitrary<PeerRecord> {
  const names = fc.nat({ max: 2 ** 31 - 1 }).map((number) => (number * 2 ** 17) as PeerName);
  const links = fc.tuple(
    names,
    fc.record({
      address: fc.constantFrom("", "10.0.0.1:6783", "[fd00::1]:40000"),
      outbound: fc.boolean(),
      established: fc.boolean(),
    }),
  );
  return fc.record({
    name: names,
    nickname: fc.string({ maxLength: 30, unit: "grapheme" }),
    uid: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    version: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    shortId: fc.option(fc.nat({ max: 4095 }), { nil: undefined }),
    links: fc.array(links, { maxLength: 30 }).map((pairs) => new Map(pairs)),
  });
}
