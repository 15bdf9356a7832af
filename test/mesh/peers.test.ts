import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromHex } from "../../lib/base/bytes.ts";
import { formatPeerName, type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { OwnRecord } from "../../lib/mesh/own-record.ts";
import { newRecord, type PeerRecord } from "../../lib/mesh/peer-record.ts";
import { Peers, versionMax } from "../../lib/mesh/peers.ts";
import { decodeTopology, encodeTopology } from "../../lib/mesh/topology-codec.ts";
import vectors from "../vectors/mesh/topology-apply.json";
import { nameOf, sketch, type VectorPeer } from "./records.ts";

type Script = (typeof vectors.scripts)[number];

interface Step {
  readonly op: string;
  readonly remote?: { name: string; nickName?: string; shortID?: number; uid?: string };
  readonly updateHex?: string;
  readonly goError?: string;
  readonly mentioned?: readonly string[];
  readonly improved?: readonly string[];
  readonly removed: readonly string[];
  readonly selfShortIDChanged: boolean;
  readonly selfVersionBefore: string;
  readonly selfVersionAfter: string;
  readonly shortIDMappingInvalidated: boolean;
  readonly stateAfter: readonly VectorState[];
}

/** One peer's database, driven by the events of a script. */
class Replay {
  readonly peers: Peers;
  readonly own: OwnRecord;

  constructor({ name, nickName, uid, shortID }: Script["self"]) {
    const identity = { name: parsePeerName(name), nickname: nickName, uid: BigInt(uid) };
    this.peers = new Peers(newRecord({ ...identity, shortId: shortID }));
    this.own = new OwnRecord(this.peers, seededRandom(1));
  }

  play(step: Step): void {
    if (step.op === "connect") this.#connect(step);
    else if (step.op === "disconnect") this.#disconnect(step);
    else if (step.op === "update") this.#update(step);
    else expect(this.#collect()).toEqual([...step.removed].sort());
  }

  #connect({ remote }: Step): void {
    const name = parsePeerName(remote!.name);
    const { nickName, shortID, uid } = remote!;
    const identity = { name, nickname: nickName!, uid: BigInt(uid!), shortId: shortID! };
    this.peers.introduce(newRecord(identity));
    this.peers.pin(name);
    this.own.addLink(name, { address: "10.0.0.2:6783", outbound: true, established: true });
  }

  #disconnect({ remote }: Step): void {
    const name = parsePeerName(remote!.name);
    this.peers.unpin(name);
    this.own.removeLink(name);
  }

  #update({ updateHex, goError, mentioned, improved, selfShortIDChanged }: Step): void {
    const payload = fromHex(updateHex!);
    if (goError !== undefined) {
      expect(() => decodeTopology(payload)).toThrow("topology does not decode");
      return;
    }
    const update = this.peers.apply(decodeTopology(payload).records);
    if (update.formerSelf !== undefined) this.own.jumpPast(update.formerSelf);
    expect(this.own.settleShortId()).toBe(selfShortIDChanged);
    expect(texts(update.mentioned)).toEqual([...mentioned!].sort());
    expect(texts(update.improved)).toEqual([...improved!].sort());
    expect(update.refusals).toEqual([]);
  }

  #collect(): string[] {
    const removed = this.peers.unreachable();
    for (const name of removed) this.peers.remove(name);
    return texts(removed);
  }
}

function texts(names: Iterable<PeerName>): string[] {
  return [...names].map(formatPeerName).sort();
}

interface VectorState extends VectorPeer {
  readonly self: boolean;
  readonly localRefCount: number;
}

/** The state in the words of the vector file. */
function stateOf(peers: Peers, expected: readonly VectorState[]): unknown[] {
  return peers.records().map((record, at) => ({
    name: formatPeerName(record.name),
    connections: [...record.links].map(([name, link]) => ({
      name: formatPeerName(name),
      established: link.established,
      outbound: link.outbound,
      remoteTCPAddr: link.address,
    })),
    hasShortID: record.shortId !== undefined,
    // The original counts a reference to itself.
    localRefCount: peers.pins(record.name) + (record === peers.own ? 1 : 0),
    nickName: record.nickname,
    self: record === peers.own,
    shortID: expected[at]?.shortID === "random" ? "random" : (record.shortId ?? 0),
    uid: record.uid.toString(),
    version: record.version.toString(),
  }));
}

describe("the peer database", () => {
  for (const script of vectors.scripts) {
    test(`${script.name}: is after each event what the original's is`, () => {
      const replay = new Replay(script.self);
      for (const step of script.steps as readonly Step[]) {
        if (step.op !== "update") expect(step.selfShortIDChanged).toBe(false);
        const generation = replay.peers.shortIds.generation;
        expect(replay.peers.own.version).toBe(BigInt(step.selfVersionBefore));
        replay.play(step);
        expect(replay.peers.own.version).toBe(BigInt(step.selfVersionAfter));
        const invalidated = replay.peers.shortIds.generation > generation;
        expect(invalidated).toBe(step.shortIDMappingInvalidated);
        expect(stateOf(replay.peers, step.stateAfter)).toEqual([...step.stateAfter]);
      }
    });
  }

  test("becomes the same whatever the order in which records arrive", () => {
    const record = fc.record({
      n: fc.integer({ min: 2, max: 6 }),
      uid: fc.bigInt({ min: 1n, max: 3n }),
      version: fc.bigInt({ min: 0n, max: 4n }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.nat(), (sketched, turn) => {
        // One author writes one content for each version and incarnation.
        const records = sketched.map(({ n, uid, version }) =>
          sketch({ n, uid, version, links: [[((n + Number(version)) % 6) + 1]] }),
        );
        const at = records.length === 0 ? 0 : turn % records.length;
        const turned = [...records.slice(at), ...records.slice(0, at)];
        expect(after([turned])).toEqual(after(records.map((one) => [one])));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("tells a few reasons of very many, and how many more there are", () => {
    const peers = new Peers(sketch({ n: 1, uid: 1n }));
    const records = Array.from({ length: 1000 }, (_, index) =>
      sketch({ n: 2 + index, version: versionMax + 1n }),
    );
    const { refusals } = peers.apply(records);
    expect(refusals.length).toBe(9);
    expect(refusals.at(-1)).toBe("992 more records of the same message");
  });

  test("takes no version that leaves its owner no room to grow, and says so", () => {
    const peers = new Peers(sketch({ n: 1, uid: 1n }));
    const update = peers.apply([
      sketch({ n: 2, version: versionMax + 1n }),
      sketch({ n: 3, version: versionMax }),
      sketch({ n: 1, uid: 9n, version: 2n ** 64n - 1n }),
    ]);
    expect(peers.has(nameOf(2))).toBe(false);
    expect(peers.has(nameOf(3))).toBe(true);
    expect(update.formerSelf).toBeUndefined();
    expect(update.refusals.length).toBe(2);
  });

  test("takes in a bounded number of peers", () => {
    const peers = new Peers(sketch({ n: 1 }));
    const links = Array.from({ length: 20_000 }, (_, at) => [at + 2] as const);
    const update = peers.apply([sketch({ n: 2, links: links.slice(0, 10_000) })]);
    expect(update.refusals).toEqual([]);
    expect(peers.apply([sketch({ n: 2, version: 2n, links })]).refusals).toEqual([
      "more than 16384 peers",
    ]);
    expect(peers.size).toBe(16_384);
  });

  test("knows nobody by the name that stands for no peer", () => {
    const peers = new Peers(sketch({ n: 1 }));
    peers.apply([sketch({ n: 0 }), sketch({ n: 2, links: [[0]] })]);
    expect(texts(peers.records().map(({ name }) => name))).toEqual(texts([nameOf(1), nameOf(2)]));
  });

  test("keeps a peer that a connection relies on, however often it was pinned", () => {
    const peers = new Peers(sketch({ n: 1 }));
    peers.introduce(sketch({ n: 2 }));
    expect(peers.unreachable()).toEqual([nameOf(2)]);
    peers.pin(nameOf(2));
    peers.pin(nameOf(2));
    peers.unpin(nameOf(2));
    expect(peers.unreachable()).toEqual([]);
    peers.unpin(nameOf(2));
    expect(peers.unreachable()).toEqual([nameOf(2)]);
  });
});

/** All records that a peer holds which knew nothing before these updates. */
function after(updates: ReadonlyArray<readonly PeerRecord[]>): readonly PeerRecord[] {
  const peers = new Peers(sketch({ n: 1 }));
  for (const update of updates) peers.apply(decodeTopology(encodeTopology(update)).records);
  return peers.records();
}

describe("our own record", () => {
  function ours(shortId?: number): { peers: Peers; own: OwnRecord } {
    const peers = new Peers(newRecord({ name: nameOf(5), nickname: "", uid: 5n, shortId }));
    return { peers, own: new OwnRecord(peers, seededRandom(1)) };
  }

  test("takes back the short id of its former incarnation when that is free", () => {
    const { own } = ours();
    expect(own.settleShortId(77)).toBe(true);
    expect(own.record.shortId).toBe(77);
    expect(own.settleShortId(78)).toBe(false);
  });

  test("draws another short id when somebody else has the former one", () => {
    const { peers, own } = ours();
    peers.introduce(sketch({ n: 9, shortId: 77 }));
    expect(own.settleShortId(77)).toBe(true);
    expect(own.record.shortId).not.toBe(77);
  });

  test("keeps its short id against higher names and yields to lower ones", () => {
    const { peers, own } = ours(77);
    peers.introduce(sketch({ n: 9, shortId: 77 }));
    expect(own.settleShortId()).toBe(false);
    peers.introduce(sketch({ n: 3, shortId: 77 }));
    expect(own.settleShortId()).toBe(true);
    expect(own.record.version).toBe(1n);
  });

  test("keeps what it has while all short ids are taken, and changes when one is free", () => {
    const { peers, own } = ours(77);
    for (let id = 0; id < 4096; id++) peers.introduce(sketch({ n: 100 + id, shortId: id }));
    peers.introduce(sketch({ n: 3, shortId: 77 }));
    expect(own.settleShortId()).toBe(false);
    expect(own.record.shortId).toBe(77);
    peers.remove(nameOf(100 + 5));
    expect(own.settleShortId()).toBe(true);
    expect(own.record.shortId).toBe(5);
  });

  test("gets a new version with every change and none without", () => {
    const { own } = ours(1);
    own.addLink(nameOf(2), { address: "10.0.0.2:6783", outbound: true, established: false });
    own.establish(nameOf(2));
    own.establish(nameOf(3));
    own.removeLink(nameOf(3));
    expect(own.record.version).toBe(2n);
    expect(own.jumpPast(sketch({ n: 5, version: 1n }))).toBe(false);
    expect(own.jumpPast(sketch({ n: 5, version: 2n }))).toBe(true);
    expect(own.record.version).toBe(3n);
  });
});
