import { expect, test } from "bun:test";
import fc from "fast-check";
import { toHex } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { noPeer, type PeerName } from "../../lib/base/peer-name.ts";
import {
  decodeFeatures,
  encodeFeatures,
  type OwnFeatures,
  ownFeatures,
  parseFeatures,
} from "../../lib/mesh/features.ts";
import { fuzz } from "../fuzz/mutate.ts";

const own: OwnFeatures = {
  name: 0x7a9febb60c6e as PeerName,
  nickname: "host1",
  uid: 2n ** 64n - 1n,
  connectionId: 7n,
  shortId: 2748,
  trusted: false,
  overlay: new Map([["Overlays", "fastdp sleeve"]]),
};

test("features carry their own gob definition", () => {
  expect(toHex(encodeFeatures(new Map([["a", "b"]])))).toBe(
    "0eff81040102ff8200010c010c000008ff82000101610162",
  );
});

test("what we say about ourselves reads back the same at the other end", () => {
  const parsed = parseFeatures(decodeFeatures(encodeFeatures(ownFeatures(own, 2))), 2);
  expect(parsed).toMatchObject({
    name: own.name,
    nickname: "host1",
    uid: own.uid,
    connectionId: 7n,
    shortId: 2748,
    trustsUs: false,
  });
  expect(parsed.features.get("Overlays")).toBe("fastdp sleeve");
});

test("version 1 neither sends nor honours more than its five features", () => {
  const keys = ["ConnID", "Name", "NickName", "PeerNameFlavour", "UID"];
  expect([...ownFeatures(own, 1).keys()].sort()).toEqual(keys);
  const parsed = parseFeatures(ownFeatures(own, 2), 1);
  expect([...parsed.features.keys()].sort()).toEqual(keys);
  expect(parsed.shortId).toBeUndefined();
});

test("a peer without short id does not name one", () => {
  expect(ownFeatures({ ...own, shortId: undefined }, 2).has("ShortID")).toBe(false);
});

test("short id zero is a short id", () => {
  expect(parseFeatures(ownFeatures({ ...own, shortId: 0 }, 2), 2).shortId).toBe(0);
});

test("the name that means no peer is refused", () => {
  expect(() => parseFeatures(ownFeatures({ ...own, name: noPeer }, 2), 2)).toThrow(
    "stands for no peer",
  );
});

test("leading zeros of numbers are tolerated, whatever their count", () => {
  const features = ownFeatures(own, 2).set("UID", `${"0".repeat(5000)}5`);
  expect(parseFeatures(features, 2).uid).toBe(5n);
});

test("a refusal repeats no more of a value than a log line bears", () => {
  const long = "9".repeat(60_000);
  for (const key of ["PeerNameFlavour", "Name", "UID", "ConnID", "ShortID", "Trusted"]) {
    let text = "";
    try {
      parseFeatures(ownFeatures(own, 2).set(key, long), 2);
    } catch (error) {
      if (error instanceof WeaveError) text = error.message;
    }
    expect(text).toContain("9999");
    expect(text.length).toBeLessThan(200);
  }
});

test("a very long nickname is cut", () => {
  const parsed = parseFeatures(ownFeatures({ ...own, nickname: "n".repeat(9000) }, 2), 2);
  expect(parsed.nickname).toHaveLength(256);
});

test("any features survive the wire, in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 12 }), (pairs) => {
      const features = new Map(pairs);
      expect([...decodeFeatures(encodeFeatures(features))]).toEqual([...features]);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("damaged features are read or refused, never fatal", () => {
  const corpus = [encodeFeatures(ownFeatures(own, 2)), encodeFeatures(ownFeatures(own, 1))];
  fuzz(31, corpus, 40_000, (mutant) => {
    try {
      parseFeatures(decodeFeatures(mutant), mutant.length % 2 === 0 ? 1 : 2);
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  });
});
