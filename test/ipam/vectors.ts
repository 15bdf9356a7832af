import { formatIpv4, type Ipv4, parseIpv4 } from "../../lib/base/ip.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import type { NodeClaims, Proposal } from "../../lib/ipam/paxos.ts";
import type { AddressRange } from "../../lib/ipam/range.ts";
import type { RingEntry } from "../../lib/ipam/ring-entry.ts";
import type { AllocatorMessage, SentRing } from "../../lib/ipam/state-codec.ts";

/** The forms in which the vectors write values, and ours. */
export interface VectorRange {
  Start: string;
  End: string;
}

export interface VectorEntry {
  Token: string;
  Peer: string;
  Version: number;
  Free: number;
}

export interface VectorRing {
  Start: string;
  End: string;
  Peer: string;
  Entries: VectorEntry[];
  Seeds: string[];
}

export interface VectorProposal {
  Round: number;
  Proposer: { Name: string; UID: string };
}

export interface VectorClaims {
  Node: { Name: string; UID: string };
  Promise: VectorProposal;
  Accepted: VectorProposal;
  AcceptedVal: { Value: string[]; Origin: VectorProposal };
}

export interface VectorState {
  Now: number;
  Nicknames: Record<string, string>;
  Paxos: VectorClaims[] | null;
  Ring: VectorRing | null;
}

export async function vectors<T>(name: string): Promise<T> {
  return Bun.file(new URL(`../vectors/ipam/${name}.json`, import.meta.url)).json();
}

export function toRange(range: VectorRange): AddressRange {
  return { start: parseIpv4(range.Start), end: parseIpv4(range.End) };
}

export function fromRange(range: AddressRange): VectorRange {
  return { Start: formatIpv4(range.start), End: formatIpv4(range.end) };
}

export function toEntry(entry: VectorEntry): RingEntry {
  return {
    token: parseIpv4(entry.Token),
    peer: parsePeerName(entry.Peer),
    version: entry.Version,
    free: entry.Free,
  };
}

export function fromEntry(entry: RingEntry): VectorEntry {
  return {
    Free: entry.free,
    Peer: formatPeerName(entry.peer),
    Token: formatIpv4(entry.token),
    Version: entry.version,
  };
}

export function toRing(ring: VectorRing): SentRing {
  return {
    universe: toRange(ring),
    peer: parsePeerName(ring.Peer),
    entries: ring.Entries.map(toEntry),
    seeds: ring.Seeds.map(parsePeerName),
  };
}

export function toProposal(proposal: VectorProposal): Proposal {
  return { round: proposal.Round, proposer: toNode(proposal.Proposer) };
}

export function toNode(node: { Name: string; UID: string }): { name: PeerName; uid: bigint } {
  return { name: parsePeerName(node.Name), uid: BigInt(node.UID) };
}

export function toClaims(claims: VectorClaims): NodeClaims {
  return {
    node: toNode(claims.Node),
    claims: {
      promise: toProposal(claims.Promise),
      accepted: toProposal(claims.Accepted),
      acceptedValue: {
        value: claims.AcceptedVal.Value.map(parsePeerName),
        origin: toProposal(claims.AcceptedVal.Origin),
      },
    },
  };
}

export function toState(state: VectorState): AllocatorMessage {
  return {
    nowSeconds: state.Now,
    nicknames: Object.entries(state.Nicknames).map(([name, text]) => [parsePeerName(name), text]),
    paxos: state.Paxos?.map(toClaims),
    ring: state.Ring === null ? undefined : toRing(state.Ring),
  };
}

/** The same state in an order of its own, so that two can be compared. */
export function sorted(state: AllocatorMessage): AllocatorMessage {
  return {
    ...state,
    nicknames: [...state.nicknames].sort(([a], [b]) => a - b),
    paxos: state.paxos === undefined ? undefined : sortedClaims(state.paxos),
  };
}

/** Nodes by name and UID; accepted values, which are sets, ascending and without repetitions. */
export function sortedClaims(table: readonly NodeClaims[]): NodeClaims[] {
  return table
    .map(({ node, claims }) => {
      const value = [...claims.acceptedValue.value].sort((a, b) => a - b);
      return { node, claims: { ...claims, acceptedValue: { ...claims.acceptedValue, value } } };
    })
    .sort((a, b) => a.node.name - b.node.name || Number(a.node.uid - b.node.uid));
}

/** Bare addresses of a list of ranges. */
export function addressesOf(ranges: readonly AddressRange[]): Ipv4[] {
  return ranges.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => start + index),
  );
}

/** A ring that a peer receives, and what it makes of it. */
export interface MergeCase {
  name: string;
  universe: string;
  our_peer: string;
  ring_before: VectorEntry[];
  seeds_before: string[];
  allocated_addresses: string[];
  incoming_ring: VectorRing;
  incoming_hex: string;
  error?: string;
  ring_after?: VectorEntry[];
  ring_after_merge?: VectorEntry[];
  ring_after_free_report?: VectorEntry[];
  seeds_after?: string[];
  original_crashes_afterwards?: string;
}
