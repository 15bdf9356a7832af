import { type PeerName, peerNameFromNumber } from "../base/peer-name.ts";
import { decodeGob, encodeGob, type GobValue, gob } from "../wire/gob.ts";
import type { NodeClaims, NodeId, Proposal } from "./paxos.ts";
import { type CouncilMessage, councilType, fromCouncil, toCouncil } from "./reclaim-codec.ts";
import type { RingState } from "./ring-entry.ts";

/**
 * The state that peers send each other, as one gob stream (ipam §5).
 *
 *   Now int │ Nicknames map uint→string │ Paxos map of struct→struct │ Ring struct │ Council struct
 *                                         only without a ring,         only with     our extension,
 *                                         absent from observers        a ring        others skip it
 *
 * An absent Paxos asks for an election; one without entries does not.
 */
export interface AllocatorMessage {
  /** Unix seconds; receivers ignore them. */
  readonly nowSeconds: number;
  readonly nicknames: ReadonlyArray<readonly [PeerName, string]>;
  readonly paxos: readonly NodeClaims[] | undefined;
  readonly ring: SentRing | undefined;
  /** Only from peers that take part in automatic reclaim. */
  readonly council?: CouncilMessage | undefined;
}

/** A ring with the peer that sent it, which need not be the one whose broadcast it came by. */
export interface SentRing extends RingState {
  readonly peer: PeerName;
}

/** Rounds that no sane cluster reaches are refused, so that outbidding them stays exact. */
const roundBits = 48;

const nodeType = gob.struct("", { Name: gob.uint, UID: gob.uint64 });
const proposalType = gob.struct("ProposalID", {
  Round: gob.uintBits(roundBits),
  Proposer: nodeType,
});
const claimsType = gob.struct("", {
  Promise: proposalType,
  Accepted: proposalType,
  AcceptedVal: gob.struct("AcceptedValue", {
    Value: gob.slice(gob.uint, { name: "Value" }),
    Origin: proposalType,
  }),
});
export const ringType = gob.struct("Ring", {
  Start: gob.uintBits(32),
  End: gob.uintBits(32),
  Peer: gob.uint,
  Entries: gob.slice(
    gob.struct("entry", {
      Token: gob.uintBits(32),
      Peer: gob.uint,
      Version: gob.uintBits(32),
      Free: gob.uintBits(32),
    }),
    { name: "entries" },
  ),
  Seeds: gob.slice(gob.uint, { name: "[]mesh.PeerName" }),
});

const stateFields = {
  Now: gob.int64,
  Nicknames: gob.map(gob.uint, gob.string),
  Paxos: gob.optional(gob.map(nodeType, claimsType)),
  Ring: gob.optional(ringType),
};
const stateType = gob.struct("gossipState", stateFields);
/** Its definition costs half a kilobyte, so it is sent only where there is something to say. */
const extendedStateType = gob.struct("gossipState", {
  ...stateFields,
  Council: gob.optional(councilType),
});

export function encodeState(message: AllocatorMessage): Uint8Array {
  const state = {
    Now: BigInt(message.nowSeconds),
    Nicknames: message.nicknames.map(([name, nickname]): [number, string] => [name, nickname]),
    Paxos: message.paxos?.map(fromNodeClaims),
    Ring: message.ring === undefined ? undefined : fromRing(message.ring),
  };
  if (message.council === undefined) return encodeGob(stateType, state);
  return encodeGob(extendedStateType, { ...state, Council: fromCouncil(message.council) });
}

/** @throws GobError, WeaveError `PEER_NAME_RANGE`, `IPAM_COUNCIL` */
export function decodeState(payload: Uint8Array): AllocatorMessage {
  const { Now, Nicknames, Paxos, Ring, Council } = decodeGob(extendedStateType, payload);
  return {
    nowSeconds: Number(Now),
    nicknames: Nicknames.map(([name, nickname]) => [peerNameFromNumber(name), nickname]),
    paxos: Paxos?.map(toNodeClaims),
    ring: Ring === undefined ? undefined : toRing(Ring),
    council: Council === undefined ? undefined : toCouncil(Council),
  };
}

function fromRing(ring: SentRing): GobValue<typeof ringType> {
  return {
    Start: ring.universe.start,
    End: ring.universe.end,
    Peer: ring.peer,
    Entries: ring.entries.map(({ token, peer, version, free }) => ({
      Token: token,
      Peer: peer,
      Version: version,
      Free: free,
    })),
    Seeds: [...ring.seeds],
  };
}

/** @throws WeaveError `PEER_NAME_RANGE` */
export function toRing(ring: GobValue<typeof ringType>): SentRing {
  return {
    universe: { start: ring.Start, end: ring.End },
    peer: peerNameFromNumber(ring.Peer),
    entries: ring.Entries.map(({ Token, Peer, Version, Free }) => ({
      token: Token,
      peer: peerNameFromNumber(Peer),
      version: Version,
      free: Free,
    })),
    seeds: ring.Seeds.map(peerNameFromNumber),
  };
}

type WireNodeClaims = [GobValue<typeof nodeType>, GobValue<typeof claimsType>];

function fromNodeClaims({ node, claims }: NodeClaims): WireNodeClaims {
  return [
    fromNode(node),
    {
      Promise: fromProposal(claims.promise),
      Accepted: fromProposal(claims.accepted),
      AcceptedVal: {
        Value: [...claims.acceptedValue.value],
        Origin: fromProposal(claims.acceptedValue.origin),
      },
    },
  ];
}

function toNodeClaims([node, claims]: WireNodeClaims): NodeClaims {
  return {
    node: toNode(node),
    claims: {
      promise: toProposal(claims.Promise),
      accepted: toProposal(claims.Accepted),
      acceptedValue: {
        value: claims.AcceptedVal.Value.map(peerNameFromNumber),
        origin: toProposal(claims.AcceptedVal.Origin),
      },
    },
  };
}

function fromNode(node: NodeId): GobValue<typeof nodeType> {
  return { Name: node.name, UID: node.uid };
}

function toNode(node: GobValue<typeof nodeType>): NodeId {
  return { name: peerNameFromNumber(node.Name), uid: node.UID };
}

function fromProposal(proposal: Proposal): GobValue<typeof proposalType> {
  return { Round: proposal.round, Proposer: fromNode(proposal.proposer) };
}

function toProposal(proposal: GobValue<typeof proposalType>): Proposal {
  return { round: proposal.Round, proposer: toNode(proposal.Proposer) };
}
