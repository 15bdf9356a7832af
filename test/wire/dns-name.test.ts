import { expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex } from "../../lib/base/bytes.ts";
import { encodeName, foldName, readFoldedName, skipName } from "../../lib/wire/dns-name.ts";

test("a name on the wire reads as folded text", () => {
  const name = fromHex("036f4e65055745415645056c6f63616c00ff");
  expect(readFoldedName(name, 0)).toEqual({ text: "one.weave.local.", end: 17 });
  expect(skipName(name, 0)).toBe(17);
  expect(readFoldedName(fromHex("00"), 0)).toEqual({ text: ".", end: 1 });
});

test("cut, compressed and overlong names are refused where a question is read", () => {
  const overlong = fromHex(`${"01".padEnd(4, "61").repeat(130)}00`);
  for (const hex of ["", "036f6e", "036f6e65", "c00c", "40", "ff"]) {
    expect(readFoldedName(fromHex(hex), 0)).toBeUndefined();
  }
  expect(readFoldedName(overlong, 0)).toBeUndefined();
  expect(skipName(overlong, 0)).toBe(-1);
  expect(skipName(fromHex("036f6e65c00c"), 0)).toBe(6);
  expect(skipName(fromHex("036f6e65c0"), 0)).toBe(-1);
  expect(skipName(fromHex("80"), 0)).toBe(-1);
});

test("text that is no name has no octets", () => {
  for (const text of ["", "a..b.", ".a", `${"x".repeat(64)}.`, "a\\999.", "a\\"]) {
    expect([text, encodeName(text)]).toEqual([text, undefined]);
  }
  expect(encodeName("x.".repeat(128))).toBeUndefined();
  expect(encodeName("x.".repeat(127))).toHaveLength(255);
});

test("dots, backslashes, blanks and octets beyond ASCII survive in labels", () => {
  expect(encodeName("a\\.b.c")!.toHex()).toBe("03612e62016300");
  expect(encodeName("a\\032b")!.toHex()).toBe("0361206200");
  expect(foldName("ä B.")).toBe("\\195\\164\\032b.");
  expect(readFoldedName(encodeName("ä B")!, 0)!.text).toBe(foldName("ä B."));
});

const label = fc.uint8Array({ minLength: 1, maxLength: 20 });

test("whatever labels a name has, its folded text encodes to a name that reads the same", () => {
  fc.assert(
    fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
      const octets = new Uint8Array([...labels.flatMap((each) => [each.length, ...each]), 0]);
      const read = readFoldedName(octets, 0)!;
      expect(read.end).toBe(octets.length);
      const encoded = encodeName(read.text)!;
      expect(readFoldedName(encoded, 0)).toEqual(read);
      expect(foldName(read.text)).toBe(read.text);
    }),
    { seed: 1, numRuns: 1000 },
  );
});
