import { describe, expect, test } from "bun:test";
import { fromUtf8, utf8 } from "../../lib/base/bytes.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { Inquiries, inquiryWindowMaxMs, inquiryWindowMs } from "../../lib/mesh/inquiries.ts";
import { loneWorld } from "../sim/world.ts";
import { nameOf } from "./records.ts";

/** Questions about digests that are not among `known`. */
function asker() {
  const { world, clock } = loneWorld();
  const known = new Set<string>();
  const asked: string[] = [];
  const inquiries = new Inquiries(world, (from: PeerName, digest) => {
    const text = fromUtf8(digest);
    if (known.has(text)) return false;
    asked.push(`${from === nameOf(2) ? 2 : 3} of ${text}`);
    return true;
  });
  const heard = (n: number, text: string): void => inquiries.heard(nameOf(n), utf8(text));
  return { inquiries, clock, known, asked, heard };
}

describe("a digest that is news", () => {
  test("is asked about at once, and one that is not never", () => {
    const { known, asked, heard } = asker();
    known.add("a");
    heard(2, "a");
    heard(3, "b");
    expect(asked).toEqual(["3 of b"]);
  });

  test("waits for the answer of another neighbour, and is forgotten if that had it all", () => {
    const { clock, known, asked, heard } = asker();
    heard(2, "a");
    heard(3, "a");
    expect(asked).toEqual(["2 of a"]);
    known.add("a");
    clock.run(10 * inquiryWindowMs);
    expect(asked).toEqual(["2 of a"]);
    heard(3, "b");
    expect(asked).toEqual(["2 of a", "3 of b"]);
  });

  test("is asked about later if the answer did not have it, the latest of each neighbour", () => {
    const { clock, asked, heard } = asker();
    heard(2, "a");
    for (const text of ["b", "c", "d"]) heard(3, text);
    heard(2, "e");
    clock.run(inquiryWindowMs);
    expect(asked).toEqual(["2 of a", "3 of d"]);
    clock.run(2 * inquiryWindowMs);
    expect(asked).toEqual(["2 of a", "3 of d", "2 of e"]);
  });

  test("is asked about ever less often while there is more, and at once after a pause", () => {
    const { clock, asked, heard } = asker();
    const askedAt: number[] = [];
    for (let ms = 0; ms < 2000; ms += 10) {
      const before = asked.length;
      heard(2, `news ${ms}`);
      if (ms > 0) clock.run(10);
      if (asked.length > before) askedAt.push(ms);
    }
    expect(askedAt).toEqual([0, 50, 150, 350, 750, 1150, 1550, 1950]);
    clock.run(inquiryWindowMaxMs * 3);
    heard(2, "the latest");
    expect(asked.at(-1)).toBe("2 of the latest");
  });

  test("is nobody's business after the end", () => {
    const { inquiries, clock, asked, heard } = asker();
    heard(2, "a");
    heard(3, "b");
    inquiries.stop();
    clock.run(10 * inquiryWindowMs);
    expect(asked).toEqual(["2 of a"]);
  });
});
