import { expect, test } from "bun:test";
import { errorText } from "../../lib/base/errors.ts";
import { formatPeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { parseInitMode, quorumOf } from "../../lib/ipam/init-mode.ts";
import { vectors } from "./vectors.ts";

const { modes, peer_names } = await vectors<{
  modes: {
    mode: string;
    error?: string;
    start?: "elector" | "seeded" | "observer";
    seed?: string[];
    peer_count?: number;
    observer?: boolean;
    quorum?: number | string;
  }[];
  peer_names: { input: string; name?: string; number?: number; error?: string }[];
}>("ipalloc_init");

for (const given of modes) {
  test(`--ipalloc-init "${given.mode}" means ${given.error ?? given.start}`, () => {
    if (given.error !== undefined) {
      expect(() => parseInitMode(given.mode)).toThrow(given.error);
      return;
    }
    const mode = parseInitMode(given.mode);
    const kinds = { elector: "consensus", seeded: "seed", observer: "observer" } as const;
    expect<string>(mode.kind).toBe(kinds[given.start!]);
    expect(mode.kind === "observer").toBe(given.observer!);
    if (mode.kind === "consensus") expect(mode.peerCount).toBe(Math.max(0, given.peer_count!));
    if (mode.kind === "seed") expect(mode.seeds.map(formatPeerName)).toEqual(given.seed!);
    if (typeof given.quorum === "number") expect(quorumOf(mode, 99)).toBe(given.quorum);
    else if (given.quorum !== undefined) expect(quorumOf(mode, 7)).toBe(4);
  });
}

for (const given of peer_names) {
  test(`the peer name "${given.input}" is ${given.error ?? given.name}`, () => {
    if (given.error !== undefined) {
      let text = "";
      try {
        parsePeerName(given.input);
      } catch (error) {
        text = errorText(error);
      }
      expect(text).toBe(given.error);
      return;
    }
    expect<number>(parsePeerName(given.input)).toBe(given.number!);
    expect(formatPeerName(parsePeerName(given.input))).toBe(given.name!);
  });
}

test("a peer count too large for a number is refused in the original's words", () => {
  expect(() => parseInitMode("consensus=99999999999999999999")).toThrow("value out of range");
});

test("no mode at all means consensus", () => {
  expect(parseInitMode("")).toEqual({ kind: "consensus", peerCount: 0 });
});
