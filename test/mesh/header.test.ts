import { describe, expect, test } from "bun:test";
import { fromHex, toHex, utf8 } from "../../lib/base/bytes.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import {
  chooseVersion,
  decodeHeader,
  encodeHeader,
  incompleteHeader,
  type OwnVersionRange,
  refuseOtherProtocol,
} from "../../lib/mesh/header.ts";
import { fuzz } from "../fuzz/mutate.ts";
import vectors from "../vectors/mesh/intro.json";

function ownRange(numbers: readonly number[]): OwnVersionRange {
  return { min: numbers[0] === 2 ? 2 : 1, max: numbers[1] === 1 ? 1 : 2 };
}

describe("the version two peers agree on", () => {
  for (const { ours, theirs, version, goError } of vectors.headerNegotiation) {
    test(`ours [${ours}], theirs [${theirs}]: ${version ?? "none"}`, () => {
      const choose = () => chooseVersion(ownRange(ours), { min: theirs[0]!, max: theirs[1]! });
      if (goError === undefined) expect<number | undefined>(choose()).toBe(version);
      else expect(choose).toThrow(goError);
    });
  }
});

test("a header is the magic word and two versions", () => {
  expect(toHex(encodeHeader({ min: 1, max: 2 }))).toBe("77656176650102");
  expect(decodeHeader(fromHex("77656176650009"))).toEqual({ min: 0, max: 9 });
});

test("a stranger is refused as soon as it cannot be a peer", () => {
  expect(() => refuseOtherProtocol(utf8("GET / HTTP/1.1"))).toThrow(
    "remote protocol header not recognised: [71 69 84 32 47]",
  );
  expect(() => refuseOtherProtocol(fromHex("160301020001"))).toThrow(
    "remote protocol header not recognised: [22 3 1 2 0]",
  );
  expect(() => refuseOtherProtocol(utf8("GET"))).not.toThrow();
});

test("an incomplete header says what came of it", () => {
  const cause = new WeaveError("STREAM_ENDED", "EOF");
  expect(incompleteHeader(fromHex(""), cause).message).toBe(
    "failed to receive remote protocol header: EOF",
  );
  expect(incompleteHeader(fromHex("7765617665"), cause).message).toBe(
    "received incomplete remote protocol header (5 octets instead of 7): [119 101 97 118 101]; " +
      "error: EOF",
  );
});

test("damaged headers are read or refused, never fatal", () => {
  fuzz(21, [fromHex("77656176650102"), fromHex("77656176650202")], 30_000, (mutant) => {
    if (mutant.length < 7) return;
    try {
      chooseVersion({ min: 1, max: 2 }, decodeHeader(mutant));
    } catch (error) {
      if (!(error instanceof WeaveError)) throw error;
    }
  });
});
