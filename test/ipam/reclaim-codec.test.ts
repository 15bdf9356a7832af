import { expect, test } from "bun:test";
import fc from "fast-check";
import { errorCode } from "../../lib/base/errors.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import type { CouncilMessage, Word } from "../../lib/ipam/reclaim-codec.ts";
import { type Decree, noDecree } from "../../lib/ipam/reclaim-decree.ts";
import { type AllocatorMessage, decodeState, encodeState } from "../../lib/ipam/state-codec.ts";
import { GobError } from "../../lib/wire/gob.ts";

const peer = (number: number) => number as PeerName;
const decree: Decree = {
  epoch: 7,
  removalEpoch: 5,
  afterMs: 86_400_000,
  heir: peer(2),
  roster: [
    { peer: peer(1), incarnation: 2 ** 48 - 1 },
    { peer: peer(2), incarnation: 1 },
  ],
  taken: [{ peer: peer(3), epoch: 5 }],
  forgottenEpoch: 2,
  moved: [
    { start: 0x0a00_0000, end: 0x0a00_0100 },
    { start: 0xffff_ff00, end: 2 ** 32 },
  ],
};
const ballot = { round: 3, proposer: peer(2) };
const words: Word[] = [
  { kind: "greeting" },
  { kind: "renew", serial: 9 },
  { kind: "grant", serial: 9 },
  { kind: "prepare", vote: { ballot, decree }, declaredDead: [3], isVoted: false },
  { kind: "prepare", vote: { ballot, decree }, declaredDead: [], isVoted: true },
  { kind: "promise", ballot, vote: undefined },
  { kind: "promise", ballot, vote: { ballot, decree } },
  { kind: "accept", vote: { ballot, decree } },
  { kind: "accepted", ballot },
  { kind: "leave", incarnation: 2 ** 48 - 1 },
];
const council: CouncilMessage = {
  presence: { peer: peer(1), incarnation: 5, afterMs: 86_400_000 },
  decree,
  words,
};

function state(of: CouncilMessage): AllocatorMessage {
  return { nowSeconds: 1, nicknames: [], paxos: undefined, ring: undefined, council: of };
}

test("every word of the council arrives as it was said", () => {
  for (const said of [council, { ...council, decree: noDecree, words: [] }]) {
    expect(decodeState(encodeState(state(said))).council).toEqual(said);
  }
});

test("a state without a council is the same octets as before there were councils", () => {
  const { council: _, ...plain } = state(council);
  expect(Buffer.from(encodeState(plain)).includes("Council")).toBe(false);
  expect(decodeState(encodeState(plain)).council).toBeUndefined();
});

test("members or ranges out of order, too many words and no sender are refused", () => {
  const reversed = { ...decree, roster: [...decree.roster].reverse() };
  const bad: CouncilMessage[] = [
    { ...council, decree: reversed },
    { ...council, decree: { ...decree, moved: [...decree.moved].reverse() } },
    { ...council, decree: { ...decree, moved: [{ start: 5, end: 5 }] } },
    { ...council, words: Array.from({ length: 65 }, () => ({ kind: "greeting" })) },
    { ...council, presence: { ...council.presence, peer: peer(0) } },
  ];
  for (const message of bad) {
    let code = "";
    try {
      decodeState(encodeState(state(message)));
    } catch (error) {
      code = errorCode(error);
    }
    expect(code).toBe("IPAM_COUNCIL");
  }
});

test("damage of a message ends in a message or a clear error", () => {
  const whole = encodeState(state(council));
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const copy = whole.slice();
      for (const [at, octet] of changes) copy[at] = octet;
      try {
        decodeState(copy);
      } catch (error) {
        const isClear = error instanceof GobError || /^(IPAM|PEER)_/.test(errorCode(error));
        expect(isClear).toBe(true);
      }
    }),
    { seed: 1, numRuns: 3000 },
  );
});
