import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex, writeUint64 } from "../../../lib/base/bytes.ts";
import { portableSecretBox } from "../../../lib/base/secret-box.ts";
import { DecryptingOpener } from "../../../lib/overlay/sleeve/datagram-seal.ts";
import { ReplayWindow } from "../../../lib/overlay/sleeve/replay-window.ts";
import { readWindow, readWindowOffset } from "../../../lib/overlay/sleeve/sequence.ts";
import vectors from "../../vectors/sleeve/replay-window.json";

/** The file does not name it: the octets 0 to 31. */
const key = Uint8Array.from({ length: 32 }, (_, i) => i);

describe("authentic datagrams", () => {
  for (const scenario of vectors.scenarios) {
    test(scenario.description, () => {
      const opener = new DecryptingOpener({ box: portableSecretBox, key, outbound: false });
      const accepted = scenario.steps.map(({ datagram }) => {
        const bytes = fromHex(datagram);
        return opener.open(bytes, 0, bytes.length) ?? "accepted";
      });
      expect(accepted).toEqual(
        scenario.steps.map((step) => (step.accepted ? "accepted" : "replayed")),
      );
    });
  }
});

const half = 2n ** 20n;

function accepts(window: ReplayWindow, sequence: bigint): boolean {
  const field = new Uint8Array(8);
  writeUint64(field, 0, sequence);
  return window.accept(readWindow(field, 0), readWindowOffset(field, 0));
}

/** Numbers that dwell around the edges of windows, where mistakes would be. */
const sequences = fc.array(
  fc
    .tuple(fc.bigInt({ min: 0n, max: 6n }), fc.bigInt({ min: -3n, max: 3n }))
    .map(([window, off]) => {
      const sequence = window * half + off;
      return sequence < 0n ? -sequence : sequence;
    }),
  { maxLength: 60 },
);

test("no number is accepted twice, whatever the order", () => {
  fc.assert(
    fc.property(sequences, (numbers) => {
      const window = new ReplayWindow();
      const accepted = numbers.filter((number) => accepts(window, number));
      expect(new Set(accepted).size).toBe(accepted.length);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("a number that was not seen is accepted unless it is more than a whole window behind", () => {
  fc.assert(
    fc.property(sequences, (numbers) => {
      const window = new ReplayWindow();
      const seen = new Set<bigint>();
      let highest = 0n;
      for (const number of numbers) {
        const fresh = !seen.has(number) && number / half >= highest / half - 1n;
        expect(accepts(window, number)).toBe(fresh);
        seen.add(number);
        if (number > highest) highest = number;
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("numbers near 2^63 keep all their bits", () => {
  const window = new ReplayWindow();
  const top = 2n ** 63n - 1n;
  for (const number of [top - 5n, top, top - 1n]) expect(accepts(window, number)).toBe(true);
  for (const number of [top, top - 1n, top - 5n]) expect(accepts(window, number)).toBe(false);
});
