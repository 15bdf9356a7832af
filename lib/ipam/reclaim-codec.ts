import { WeaveError } from "../base/errors.ts";
import { noPeer, peerNameFromNumber } from "../base/peer-name.ts";
import { type GobValue, gob } from "../wire/gob.ts";
import type { Ballot, Vote } from "./reclaim-acceptor.ts";
import { type Decree, noDecree, rosterMax, takenMax } from "./reclaim-decree.ts";
import type { Presence } from "./reclaim-witness.ts";

/**
 * The council's part of a state message, a field of its own that other peers ignore.
 *
 *   Peer uint │ Incarnation uint │ AfterMs uint │ Decree │ Words slice
 *   who sends it, which is not whose        what it knows   only to one peer
 *   broadcast it came by                    to be decided
 */
export interface CouncilMessage {
  readonly presence: Presence;
  readonly decree: Decree;
  /** For the receiver alone; empty in gossip. */
  readonly words: readonly Word[];
}

/** What members say to each other. Ballots and votes concern the epoch after the sender's. */
export type Word =
  | { readonly kind: "greeting" }
  | { readonly kind: "renew"; readonly serial: number }
  | { readonly kind: "grant"; readonly serial: number }
  | {
      readonly kind: "prepare";
      readonly vote: Vote;
      readonly declaredDead: readonly number[];
      /** Whether some have voted for this first decree: it has to be brought to its end. */
      readonly isVoted: boolean;
    }
  | { readonly kind: "promise"; readonly ballot: Ballot; readonly vote: Vote | undefined }
  | { readonly kind: "accept"; readonly vote: Vote }
  | { readonly kind: "accepted"; readonly ballot: Ballot }
  | { readonly kind: "leave"; readonly incarnation: number };

const kinds = [
  ...(["greeting", "renew", "grant", "prepare", "promise", "accept", "accepted"] as const),
  "leave",
] as const;

const wordsMax = 64;

const decreeType = gob.struct("Decree", {
  Epoch: gob.uint,
  RemovalEpoch: gob.uint,
  AfterMs: gob.uint,
  Heir: gob.uint,
  Roster: gob.slice(gob.struct("Member", { Peer: gob.uint, Incarnation: gob.uint })),
  Taken: gob.slice(gob.struct("Taking", { Peer: gob.uint, Epoch: gob.uint })),
  ForgottenEpoch: gob.uint,
  Moved: gob.slice(gob.struct("Moved", { Start: gob.uintBits(32), End: gob.uint })),
});

const voteType = gob.struct("Vote", { Round: gob.uint, Proposer: gob.uint, Decree: decreeType });

export const councilType = gob.struct("Council", {
  Peer: gob.uint,
  Incarnation: gob.uint,
  AfterMs: gob.uint,
  Decree: gob.optional(decreeType),
  Words: gob.slice(
    gob.struct("Word", {
      Kind: gob.uint,
      Serial: gob.uint,
      Round: gob.uint,
      Proposer: gob.uint,
      Vote: gob.optional(voteType),
      DeclaredDead: gob.slice(gob.uint, { name: "DeclaredDead" }),
    }),
  ),
});

type WireWord = GobValue<typeof councilType>["Words"][number];

export function fromCouncil({
  presence,
  decree,
  words,
}: CouncilMessage): GobValue<typeof councilType> {
  return {
    Peer: presence.peer,
    Incarnation: presence.incarnation,
    AfterMs: presence.afterMs,
    Decree: decree.epoch === 0 ? undefined : fromDecree(decree),
    Words: words.map(fromWord),
  };
}

/** @throws WeaveError `IPAM_COUNCIL`, `PEER_NAME_RANGE` */
export function toCouncil(council: GobValue<typeof councilType>): CouncilMessage {
  const peer = peerNameFromNumber(council.Peer);
  if (peer === noPeer) throw refused("comes from no peer");
  if (council.Words.length > wordsMax) throw refused(`has more than ${wordsMax} words`);
  return {
    presence: { peer, incarnation: council.Incarnation, afterMs: council.AfterMs },
    decree: council.Decree === undefined ? noDecree : toDecree(council.Decree),
    words: council.Words.flatMap(toWord),
  };
}

function refused(what: string): WeaveError {
  return new WeaveError("IPAM_COUNCIL", `message about the council ${what}`);
}

function fromDecree(decree: Decree): GobValue<typeof decreeType> {
  return {
    Epoch: decree.epoch,
    RemovalEpoch: decree.removalEpoch,
    AfterMs: decree.afterMs,
    Heir: decree.heir,
    Roster: decree.roster.map(({ peer, incarnation }) => ({
      Peer: peer,
      Incarnation: incarnation,
    })),
    Taken: decree.taken.map(({ peer, epoch }) => ({ Peer: peer, Epoch: epoch })),
    ForgottenEpoch: decree.forgottenEpoch,
    Moved: decree.moved.map(({ start, end }) => ({ Start: start, End: end })),
  };
}

function toDecree(decree: GobValue<typeof decreeType>): Decree {
  const roster = decree.Roster.map(({ Peer, Incarnation }) => ({
    peer: peerNameFromNumber(Peer),
    incarnation: Incarnation,
  }));
  const isAscending = roster.every(
    ({ peer }, index) => index === 0 || roster[index - 1]!.peer < peer,
  );
  if (!isAscending) throw refused("names members out of order");
  if (roster.length > rosterMax) throw refused(`names more than ${rosterMax} members`);
  if (decree.Taken.length > takenMax) throw refused(`takes from more than ${takenMax} peers`);
  const moved = decree.Moved.map(({ Start, End }) => ({ start: Start, end: End }));
  const areApart = moved.every(
    ({ start, end }, index) => start < end && (index === 0 || moved[index - 1]!.end < start),
  );
  if (!areApart || (moved.at(-1)?.end ?? 0) > 2 ** 32) throw refused("moves no proper ranges");
  return {
    epoch: decree.Epoch,
    removalEpoch: decree.RemovalEpoch,
    afterMs: decree.AfterMs,
    heir: peerNameFromNumber(decree.Heir),
    roster,
    taken: decree.Taken.map(({ Peer, Epoch }) => ({
      peer: peerNameFromNumber(Peer),
      epoch: Epoch,
    })),
    forgottenEpoch: decree.ForgottenEpoch,
    moved,
  };
}

function fromVote({ ballot, decree }: Vote): GobValue<typeof voteType> {
  return { Round: ballot.round, Proposer: ballot.proposer, Decree: fromDecree(decree) };
}

function toVote(vote: GobValue<typeof voteType>): Vote {
  return { ballot: toBallot(vote), decree: toDecree(vote.Decree) };
}

function toBallot({ Round, Proposer }: { Round: number; Proposer: number }): Ballot {
  return { round: Round, proposer: peerNameFromNumber(Proposer) };
}

function fromWord(word: Word): WireWord {
  const ballot = "ballot" in word ? word.ballot : undefined;
  const vote = "vote" in word ? word.vote : undefined;
  return {
    Kind: kinds.indexOf(word.kind),
    Serial: serialOf(word),
    Round: ballot?.round ?? 0,
    Proposer: ballot?.proposer ?? 0,
    Vote: vote === undefined ? undefined : fromVote(vote),
    DeclaredDead: "declaredDead" in word ? [...word.declaredDead] : [],
  };
}

/** One number, which means something else in each kind of word. */
function serialOf(word: Word): number {
  switch (word.kind) {
    case "renew":
    case "grant":
      return word.serial;
    case "leave":
      return word.incarnation;
    case "prepare":
      return word.isVoted ? 1 : 0;
    default:
      return 0;
  }
}

/** Words of kinds to come are passed over. */
function toWord(word: WireWord): Word[] {
  const kind = kinds[word.Kind];
  switch (kind) {
    case "greeting":
      return [{ kind }];
    case "renew":
    case "grant":
      return [{ kind, serial: word.Serial }];
    case "accepted":
      return [{ kind, ballot: toBallot(word) }];
    case "promise":
      return [{ kind, ballot: toBallot(word), vote: word.Vote && toVote(word.Vote) }];
    case "prepare":
      return [
        {
          kind,
          vote: neededVote(word),
          declaredDead: word.DeclaredDead,
          isVoted: word.Serial === 1,
        },
      ];
    case "accept":
      return [{ kind, vote: neededVote(word) }];
    case "leave":
      return [{ kind, incarnation: word.Serial }];
    default:
      return [];
  }
}

function neededVote({ Vote }: WireWord): Vote {
  if (Vote === undefined) throw refused("proposes nothing");
  return toVote(Vote);
}
