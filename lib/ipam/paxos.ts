import { noPeer, type PeerName } from "../base/peer-name.ts";

/**
 * Single-decree Paxos spread by gossip (ipam §9). Every node holds a table of what each node has
 * promised and accepted, merges the tables it hears, and draws its own conclusions. The value to
 * agree on is the set of peers that will share the universe.
 *
 *   propose ──▶ promised ──quorum of promises──▶ accepted ──quorum of accepts──▶ decided
 *
 * The UID keeps a restarted peer, which forgot its promises, apart from its former self.
 */
export interface NodeId {
  readonly name: PeerName;
  /** 64 bits. */
  readonly uid: bigint;
}

/** Round 0 stands for no proposal. */
export interface Proposal {
  readonly round: number;
  readonly proposer: NodeId;
}

export interface AcceptedValue {
  readonly value: readonly PeerName[];
  /** The proposal that first carried the value: values are the same when their origins are. */
  readonly origin: Proposal;
}

export interface Claims {
  readonly promise: Proposal;
  readonly accepted: Proposal;
  readonly acceptedValue: AcceptedValue;
}

export interface NodeClaims {
  readonly node: NodeId;
  readonly claims: Claims;
}

/** Far more than the nodes and restarts of any election; further nodes are ignored. */
const nodesMax = 4096;

const noProposal: Proposal = { round: 0, proposer: { name: 0 as PeerName, uid: 0n } };
const noClaims: Claims = {
  promise: noProposal,
  accepted: noProposal,
  acceptedValue: { value: [], origin: noProposal },
};

export class Paxos {
  readonly #self: NodeId;
  readonly #table = new Map<string, NodeClaims>();
  /** Votes needed; 0 until this node calls an election: it then promises and accepts, no more. */
  quorum = 0;

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** What to tell the others. */
  table(): NodeClaims[] {
    return [...this.#table.values()];
  }

  get knownNodes(): number {
    return this.#table.size;
  }

  /** Whether we promised to follow somebody else's proposal. */
  get isOutbid(): boolean {
    const { promise } = this.#own();
    return promise.round > 0 && compareNodes(promise.proposer, this.#self) !== 0;
  }

  /** Starts a round that outbids every round known. */
  propose(): void {
    let round = 0;
    for (const { claims } of this.#table.values()) {
      round = Math.max(round, claims.promise.round, claims.accepted.round);
    }
    this.#claim({ ...this.#own(), promise: { round: round + 1, proposer: this.#self } });
    if (this.quorum === 1) this.think();
  }

  /** Merges what another node knows; whether that was news. What no node can mean is passed over. */
  receive(table: readonly NodeClaims[]): boolean {
    let learned = false;
    for (const { node, claims } of table) {
      if (!isMeaningful(claims)) continue;
      const known = this.#table.get(keyOf(node));
      if (known === undefined && this.#table.size >= nodesMax) continue;
      const merged = known === undefined ? claims : later(known.claims, claims);
      if (merged === known?.claims) continue;
      this.#table.set(keyOf(node), { node, claims: merged });
      learned = true;
    }
    return learned;
  }

  /** Draws conclusions from the table; whether our own claims changed. */
  think(): boolean {
    const before = this.#own();
    let promise = before.promise;
    for (const { claims } of this.#table.values()) promise = latest(promise, claims.promise);
    let own: Claims = { ...before, promise };
    if (compareNodes(promise.proposer, this.#self) === 0 && promise.round > 0) {
      own = this.#acceptOwnProposal(own);
    }
    for (const { claims } of this.#table.values()) {
      if (compareProposals(claims.accepted, promise) !== 0 || promise.round === 0) continue;
      own = { ...own, accepted: promise, acceptedValue: claims.acceptedValue };
      break;
    }
    const changed =
      compareProposals(own.promise, before.promise) !== 0 ||
      compareProposals(own.accepted, before.accepted) !== 0 ||
      compareProposals(own.acceptedValue.origin, before.acceptedValue.origin) !== 0;
    if (changed) this.#claim(own);
    return changed;
  }

  /** The value that a quorum has accepted, or `undefined`. */
  decided(): readonly PeerName[] | undefined {
    if (this.quorum === 0) return undefined;
    const votes = new Map<string, { count: number; value: readonly PeerName[] }>();
    for (const { acceptedValue } of this.#claims()) {
      const { origin, value } = acceptedValue;
      if (origin.round === 0) continue;
      const key = `${origin.round} ${keyOf(origin.proposer)}`;
      const count = (votes.get(key)?.count ?? 0) + 1;
      if (count >= this.quorum) return value;
      votes.set(key, { count, value });
    }
    return undefined;
  }

  /** With a quorum of promises: re-proposes the latest accepted value, or proposes all of us. */
  #acceptOwnProposal(own: Claims): Claims {
    const promised = [...this.#claims()].filter(
      ({ promise }) => compareProposals(promise, own.promise) === 0,
    );
    if (this.quorum === 0 || promised.length < this.quorum) return own;
    let best = noClaims;
    for (const claims of promised) {
      if (compareProposals(claims.accepted, best.accepted) > 0) best = claims;
    }
    const acceptedValue =
      best.accepted.round > 0
        ? best.acceptedValue
        : { value: this.table().map(({ node }) => node.name), origin: own.promise };
    return { ...own, accepted: own.promise, acceptedValue };
  }

  *#claims(): Iterable<Claims> {
    for (const { claims } of this.#table.values()) yield claims;
  }

  #own(): Claims {
    return this.#table.get(keyOf(this.#self))?.claims ?? noClaims;
  }

  #claim(claims: Claims): void {
    this.#table.set(keyOf(this.#self), { node: this.#self, claims });
  }
}

/**
 * Whoever accepted anything accepted the names of some peers, no more than there can be. To agree on nobody would make a ring
 * without owners, and everyone who waits for one would call the election again at once.
 */
function isMeaningful({ accepted, acceptedValue: { origin, value } }: Claims): boolean {
  if (value.length > nodesMax) return false;
  if (accepted.round === 0) return origin.round === 0;
  return origin.round > 0 && value.length > 0 && !value.includes(noPeer);
}

function keyOf(node: NodeId): string {
  return `${node.name} ${node.uid}`;
}

function compareNodes(a: NodeId, b: NodeId): number {
  return a.name - b.name || (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0);
}

function compareProposals(a: Proposal, b: Proposal): number {
  return a.round - b.round || compareNodes(a.proposer, b.proposer);
}

function latest(a: Proposal, b: Proposal): Proposal {
  return compareProposals(b, a) > 0 ? b : a;
}

/** The later of each claim; `ours` itself when nothing is later. */
function later(ours: Claims, theirs: Claims): Claims {
  const promiseIsLater = compareProposals(theirs.promise, ours.promise) > 0;
  const acceptIsLater = compareProposals(theirs.accepted, ours.accepted) > 0;
  if (!promiseIsLater && !acceptIsLater) return ours;
  const accepts = acceptIsLater ? theirs : ours;
  return {
    promise: promiseIsLater ? theirs.promise : ours.promise,
    accepted: accepts.accepted,
    acceptedValue: accepts.acceptedValue,
  };
}
