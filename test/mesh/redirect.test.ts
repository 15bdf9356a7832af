import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../lib/base/random.ts";
import {
  chooseElsewhere,
  elsewhereMax,
  formatRedirect,
  type Place,
  parseRedirect,
} from "../../lib/mesh/redirect.ts";
import { Redirects } from "../../lib/mesh/redirects.ts";
import { nameOf, sketch } from "./records.ts";

const at = (n: number, port = 6783) => ({ host: `10.0.0.${n}`, port });

function place(n: number, connections: number, outbound = true): Place {
  const address = outbound ? `10.0.0.${n}:7000` : `10.0.0.${n}:41234`;
  return { link: { address, outbound, established: true }, connections };
}

describe("a redirect", () => {
  test("is read as it was written", () => {
    for (const elsewhere of [[], [at(7)], [at(7), { host: "fd00::3", port: 7000 }]]) {
      const redirect = { limit: 30, elsewhere };
      expect(parseRedirect(formatRedirect(redirect))).toEqual(redirect);
    }
  });

  test("is none without a limit, and odd words in it are skipped", () => {
    expect(parseRedirect(new Map([["WeaveElsewhere", "10.0.0.7:6783"]]))).toBeUndefined();
    const odd = "x 10.0.0.7 :: 10.0.0.8:99999  10.0.0.9:6783 example.com:1";
    expect(
      parseRedirect(new Map(Object.entries({ WeaveLimit: "-1", WeaveElsewhere: odd }))),
    ).toEqual({ limit: 0, elsewhere: [at(9)] });
    const many = Array.from({ length: 1000 }, (_, n) => `10.0.0.${n % 256}:1`).join(" ");
    const read = parseRedirect(new Map(Object.entries({ WeaveLimit: "1", WeaveElsewhere: many })));
    expect(read!.elsewhere.length).toBe(elsewhereMax);
  });

  test("names those neighbours that are least connected, where they listen", () => {
    const places = [place(1, 9), place(2, 3, false), place(3, 5)];
    expect(chooseElsewhere(places, 6783, seededRandom(1))).toEqual([
      at(2),
      at(3, 7000),
      at(1, 7000),
    ]);
  });

  test("names not always the same where all are alike", () => {
    const places = Array.from({ length: 30 }, (_, n) => place(n, 30));
    const random = seededRandom(1);
    const chosen = new Set<string>();
    for (let turn = 0; turn < 20; turn++) {
      const elsewhere = chooseElsewhere(places, 6783, random);
      expect(elsewhere.length).toBe(elsewhereMax);
      for (const { host } of elsewhere) chosen.add(host);
    }
    expect(chosen.size).toBe(30);
  });
});

describe("redirects", () => {
  test("hold until the peer is known that sent us elsewhere", () => {
    const redirects = new Redirects();
    redirects.add(nameOf(2), [at(7)]);
    redirects.add(nameOf(3), [at(8), at(9)]);
    redirects.add(nameOf(3), [at(9)]);
    expect(redirects.endpoints()).toEqual([at(7), at(9)]);
    expect([redirects.has("10.0.0.9:6783"), redirects.has("10.0.0.8:6783")]).toEqual([true, false]);
    redirects.forget([sketch({ n: 1 }), sketch({ n: 3 })]);
    expect(redirects.endpoints()).toEqual([at(7)]);
  });

  test("are bounded, the latest stay", () => {
    const redirects = new Redirects();
    for (let n = 1; n <= 100; n++) redirects.add(nameOf(n), [at(n)]);
    expect(redirects.endpoints().length).toBe(16);
    expect(redirects.has("10.0.0.100:6783")).toBe(true);
  });
});
