import * as v from "valibot";
import { formatPeerName, parsePeerName } from "../base/peer-name.ts";
import type { StoredCouncil } from "../ipam/allocator-store.ts";
import type { Ballot } from "../ipam/reclaim-acceptor.ts";
import type { Decree } from "../ipam/reclaim-decree.ts";

/** What this peer promised to the others, as JSON with peers as text so that a person can read it. */
const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const peer = v.pipe(v.string(), v.transform(parsePeerName));
/** Ascending, apart. */
const ranges = v.optional(v.array(v.object({ start: whole, end: whole })), []);

const decreeSchema = v.object({
  epoch: whole,
  removalEpoch: whole,
  afterMs: whole,
  heir: peer,
  roster: v.array(v.object({ peer, incarnation: whole })),
  taken: v.array(v.object({ peer, epoch: whole })),
  forgottenEpoch: whole,
  moved: ranges,
});
const ballotSchema = v.object({ round: whole, proposer: peer });

const councilSchema = v.object({
  incarnation: whole,
  decree: decreeSchema,
  acceptor: v.object({
    promised: ballotSchema,
    accepted: v.pipe(
      v.nullable(v.object({ ballot: ballotSchema, decree: decreeSchema })),
      v.transform((vote) => vote ?? undefined),
    ),
    fenced: v.array(peer),
    withheld: ranges,
  }),
  leaseWallMs: whole,
  confirmed: ranges,
  witness: v.optional(
    v.object({
      tenureMs: whole,
      silences: v.array(v.object({ peer, silenceMs: whole })),
    }),
    { tenureMs: 0, silences: [] },
  ),
});

/** @throws SyntaxError, ValiError, WeaveError for anything that {@link formatCouncil} did not make */
export function parseCouncil(text: string): StoredCouncil {
  return v.parse(councilSchema, JSON.parse(text));
}

export function formatCouncil({ acceptor, decree, witness, ...rest }: StoredCouncil): string {
  const { accepted, promised, fenced, withheld } = acceptor;
  return JSON.stringify({
    ...rest,
    decree: decreeJson(decree),
    acceptor: {
      promised: ballotJson(promised),
      accepted: accepted
        ? { ballot: ballotJson(accepted.ballot), decree: decreeJson(accepted.decree) }
        : null,
      fenced: fenced.map(formatPeerName),
      withheld,
    },
    witness: {
      ...witness,
      silences: witness.silences.map(({ peer: silent, silenceMs }) => ({
        peer: formatPeerName(silent),
        silenceMs,
      })),
    },
  });
}

function ballotJson({ round, proposer }: Ballot) {
  return { round, proposer: formatPeerName(proposer) };
}

function decreeJson(decree: Decree) {
  return {
    ...decree,
    heir: formatPeerName(decree.heir),
    roster: decree.roster.map((member) => ({ ...member, peer: formatPeerName(member.peer) })),
    taken: decree.taken.map((taking) => ({ ...taking, peer: formatPeerName(taking.peer) })),
  };
}
