import { expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../lib/base/bytes.ts";
import {
  countedOverlaysMax,
  decodeLinkCounts,
  encodeLinkCounts,
} from "../../lib/mesh/link-counts.ts";

test("questions and counts are what docs/protocol.md draws", () => {
  expect(toHex(encodeLinkCounts({ kind: "question", number: 7 }))).toBe("0000000007");
  const counts = [
    { overlay: "fastdp", sent: 258, received: 1 },
    { overlay: "sleeve", sent: 0, received: Number.MAX_SAFE_INTEGER },
  ];
  expect(toHex(encodeLinkCounts({ kind: "counts", number: 0xffff_ffff, counts }))).toBe(
    [
      "01ffffffff",
      "06666173746470" + "0000000000000102" + "0000000000000001",
      "06736c65657665" + "0000000000000000" + "001fffffffffffff",
    ].join(""),
  );
});

test("what one end says is what the other one reads", () => {
  const count = fc.nat(Number.MAX_SAFE_INTEGER);
  const counts = fc.array(
    fc.record({ overlay: fc.string({ maxLength: 20 }), sent: count, received: count }),
    { maxLength: countedOverlaysMax },
  );
  fc.assert(
    fc.property(fc.nat(), counts, (number, said) => {
      const message = { kind: "counts" as const, number, counts: said };
      expect(decodeLinkCounts(encodeLinkCounts(message))).toEqual(message);
    }),
    { seed: 1 },
  );
});

test("nonsense is nothing", () => {
  const one = "06666173746470" + "0000000000000102" + "0000000000000001";
  for (const hex of [
    ...["", "00000000", "01000000", "0200000001"],
    ...[`0100000001${one.slice(2)}`, `0100000001${one}00`, `0100000001${one.slice(0, -2)}`],
    `0100000001${one.repeat(countedOverlaysMax + 1)}`,
    // 2^53.
    `0100000001${one.replace("0000000000000102", "0020000000000000")}`,
  ]) {
    expect(decodeLinkCounts(fromHex(hex))).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeLinkCounts(bytes);
    }),
    { seed: 1 },
  );
});
