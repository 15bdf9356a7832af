import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatPeerName, noPeer, type PeerName } from "../../lib/base/peer-name.ts";
import { type NodeClaims, type NodeId, Paxos, type Proposal } from "../../lib/ipam/paxos.ts";
import { sortedClaims, toClaims, toNode, type VectorClaims, vectors } from "./vectors.ts";

interface PaxosCase {
  name: string;
  action: "propose" | "receive";
  us: { Name: string; UID: string };
  quorum: number;
  knows_before: VectorClaims[];
  incoming?: VectorClaims[];
  knows_after_update?: VectorClaims[];
  knows_after: VectorClaims[];
  update_learned_something?: boolean;
  think_changed_our_claims?: boolean;
  consensus: boolean;
  consensus_value?: string[];
}

type Knows = [promise: Round, accepted: Round, value: number[], origin: Round] | null;
type Round = [round: number, proposer: number];

interface Run {
  nodes: number;
  quorum: number;
  steps: {
    propose?: number;
    from?: number;
    to?: number;
    knows: Knows[];
    consensus_origin?: Round;
  }[];
}

const { cases } = await vectors<{ cases: PaxosCase[] }>("paxos_cases");
const { runs } = await vectors<{ runs: Run[] }>("paxos_random");

for (const given of cases) {
  test(`one step of an election ends as in the original: ${given.name}`, () => {
    const paxos = new Paxos(toNode(given.us));
    paxos.quorum = given.quorum;
    paxos.receive(given.knows_before.map(toClaims));
    if (given.action === "propose") {
      paxos.propose();
    } else {
      const learned = paxos.receive(given.incoming!.map(toClaims));
      expect(learned).toBe(given.update_learned_something!);
      if (given.knows_after_update !== undefined) {
        expect(sortedClaims(paxos.table())).toEqual(
          sortedClaims(given.knows_after_update.map(toClaims)),
        );
      }
      if (learned) expect(paxos.think()).toBe(given.think_changed_our_claims!);
    }
    expect(sortedClaims(paxos.table())).toEqual(sortedClaims(given.knows_after.map(toClaims)));
    expect(paxos.decided() !== undefined).toBe(given.consensus);
    if (given.consensus_value !== undefined) {
      expect(paxos.decided()!.map(formatPeerName).sort()).toEqual(given.consensus_value);
    }
  });
}

function nodeId(index: number): NodeId {
  return { name: (index * 2 ** 40) as PeerName, uid: BigInt(99 + index) };
}

function shown(paxos: Paxos, nodes: number): Knows[] {
  const round = ({ round, proposer }: Proposal): Round => [round, Number(proposer.name) / 2 ** 40];
  const known = new Map(paxos.table().map(({ node, claims }) => [node.name / 2 ** 40, claims]));
  return Array.from({ length: nodes }, (_, at) => {
    const claims = known.get(at + 1);
    if (claims === undefined) return null;
    const { promise, accepted, acceptedValue } = claims;
    const value = acceptedValue.value.map((name) => name / 2 ** 40).sort((a, b) => a - b);
    return [round(promise), round(accepted), value, round(acceptedValue.origin)];
  });
}

/** The value that came of the proposal on which the original agreed, if it did. */
function agreedOn({ knows, consensus_origin }: Run["steps"][number]): number[] | undefined {
  const origin = consensus_origin?.join();
  return knows.find((each) => each !== null && each[3].join() === origin)?.[2];
}

for (const [index, run] of runs.entries()) {
  test(`whole election ${index + 1} among ${run.nodes} goes as in the original`, () => {
    const nodes = Array.from({ length: run.nodes }, (_, at) => {
      const paxos = new Paxos(nodeId(at + 1));
      paxos.quorum = run.quorum;
      return paxos;
    });
    for (const step of run.steps) {
      const actor = nodes[(step.propose ?? step.to)! - 1]!;
      if (step.propose !== undefined) actor.propose();
      else if (actor.receive(nodes[step.from! - 1]!.table())) actor.think();
      expect(shown(actor, run.nodes)).toEqual(step.knows);
      // Of a proposal the recording does not say whether it decided anything.
      if (step.propose !== undefined) continue;
      const decided = actor.decided()?.map((name) => name / 2 ** 40);
      expect(decided?.sort()).toEqual(agreedOn(step));
    }
  });
}

test("however messages are ordered, repeated and lost, all that decide decide the same", () => {
  const event = fc.record({ kind: fc.nat(9), a: fc.nat(4), b: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(event, { minLength: 10, maxLength: 120 }), (events) => {
      const nodes = Array.from({ length: 5 }, (_, at) => new Paxos(nodeId(at + 1)));
      for (const node of nodes) node.quorum = 3;
      const decisions = new Set<string>();
      const old: NodeClaims[][] = [];
      for (const { kind, a, b } of events) {
        if (kind === 0) nodes[a]!.propose();
        else if (nodes[b]!.receive(kind === 1 ? (old[a] ?? []) : nodes[a]!.table()))
          nodes[b]!.think();
        old.unshift(nodes[b]!.table());
        const decided = nodes[b]!.decided();
        if (decided !== undefined) decisions.add([...decided].sort().join());
      }
      expect(decisions.size).toBeLessThan(2);
    }),
    { seed: 1, numRuns: 400 },
  );
});

test("a node that was never asked to elect promises and accepts but does not decide", () => {
  const caller = new Paxos(nodeId(1));
  const helper = new Paxos(nodeId(2));
  caller.quorum = 2;
  caller.propose();
  for (let i = 0; i < 3; i++) {
    if (helper.receive(caller.table())) helper.think();
    if (caller.receive(helper.table())) caller.think();
  }
  expect(caller.decided()).toHaveLength(2);
  expect(helper.decided()).toBeUndefined();
});

test("a flood of invented nodes does not fill the memory", () => {
  const paxos = new Paxos(nodeId(1));
  const [seen] = (() => {
    const other = new Paxos(nodeId(2));
    other.propose();
    return other.table();
  })();
  const flood = Array.from({ length: 10_000 }, (_, at) => ({ ...seen!, node: nodeId(at + 3) }));
  paxos.receive(flood);
  expect(paxos.knownNodes).toBeLessThan(5000);
});

test("votes for nobody, for no peer by name, or for more than there can be are no votes", () => {
  const [self, other] = [nodeId(1), nodeId(2)];
  const proposal: Proposal = { round: 5, proposer: other };
  const none: Proposal = { round: 0, proposer: { name: noPeer, uid: 0n } };
  const vote = (accepted: Proposal, value: readonly PeerName[], origin: Proposal): NodeClaims => ({
    node: other,
    claims: { promise: proposal, accepted, acceptedValue: { value, origin } },
  });
  for (const votes of [
    vote(proposal, [], proposal),
    vote(proposal, [other.name, noPeer], proposal),
    vote(proposal, [other.name], none),
    vote(none, [other.name], proposal),
    vote(proposal, new Array(5000).fill(other.name), proposal),
    vote(none, new Array(5000).fill(other.name), none),
  ]) {
    const paxos = new Paxos(self);
    paxos.quorum = 1;
    expect(paxos.receive([votes])).toBe(false);
    expect(paxos.decided()).toBeUndefined();
    expect(paxos.knownNodes).toBe(0);
  }
});
