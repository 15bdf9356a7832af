import { expect, test } from "bun:test";
import { concatBytes } from "../../lib/base/bytes.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { chunks, fuzz, mutants } from "./mutate.ts";

const corpus = [new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), new Uint8Array(100).fill(7)];

test("the same seed gives the same mutants", () => {
  const once = [...mutants(5, corpus, 200)].map((bytes) => bytes.toHex());
  expect([...mutants(5, corpus, 200)].map((bytes) => bytes.toHex())).toEqual(once);
  expect([...mutants(6, corpus, 200)].map((bytes) => bytes.toHex())).not.toEqual(once);
});

test("mutants differ from the corpus and leave it alone", () => {
  const originals = corpus.map((bytes) => bytes.toHex());
  const changed = [...mutants(1, corpus, 1000)].filter(
    (bytes) => !originals.includes(bytes.toHex()),
  );
  expect(changed.length).toBeGreaterThan(900);
  expect(corpus.map((bytes) => bytes.toHex())).toEqual(originals);
});

test("a corpus of Buffers is left alone as well", () => {
  const buffer = Buffer.from(corpus[1]!);
  expect([...mutants(1, [buffer], 200)].some((bytes) => bytes.some((octet) => octet !== 7))).toBe(
    true,
  );
  expect(buffer.every((octet) => octet === 7)).toBe(true);
});

test("damage to empty bytes is possible", () => {
  expect([...mutants(1, [new Uint8Array(0)], 500)]).toHaveLength(500);
});

test("a failure names the seed and the bytes that caused it", () => {
  const failOnSecond = () => {
    let calls = 0;
    fuzz(3, corpus, 10, () => {
      if (++calls === 2) throw new Error("boom");
    });
  };
  expect(failOnSecond).toThrow(/^seed 3, mutant 1: [0-9a-f]*$/);
});

test("chunks join to the bytes they were cut from", () => {
  const random = seededRandom(1);
  const bytes = random.fill(new Uint8Array(5000));
  const pieces = [...chunks(random, bytes)];
  expect(pieces.length).toBeGreaterThan(5);
  expect(concatBytes(...pieces)).toEqual(bytes);
});
