import { fromHex } from "../../../lib/base/bytes.ts";
import { type PeerName, parsePeerName } from "../../../lib/base/peer-name.ts";
import { makeEntry } from "../../../lib/dns/entry.ts";
import { encodeNames } from "../../../lib/dns/name-codec.ts";
import type { Word } from "../../../lib/ipam/reclaim-codec.ts";
import { type Decree, noDecree } from "../../../lib/ipam/reclaim-decree.ts";
import { encodeState } from "../../../lib/ipam/state-codec.ts";
import { encodeUnicast } from "../../../lib/ipam/unicast-codec.ts";
import { encodeInterest, encodeSummary } from "../../../lib/links/link-codec.ts";
import { linksChannel } from "../../../lib/links/shared-links.ts";
import { encodeMessage } from "../../../lib/mesh/protocol-message.ts";
import { encodeTopology } from "../../../lib/mesh/topology-codec.ts";
import { recordedBytes } from "../recorded.ts";
import { type FuzzLife, type FuzzTarget, fingerprint } from "../target.ts";
import { listener, ownName, speaker, WholePeer, type WholePeerOptions } from "../whole-peer.ts";

/** What a peer may be when it hears something: with a ring and holders, waiting, or watching. */
const hourMs = 3_600_000;
const situations: readonly WholePeerOptions[] = [
  { range: "10.0.0.0/24", init: "consensus=1", holders: 20 },
  { range: "10.32.0.0/12", init: "consensus=1", holders: 3 },
  { range: "10.2.0.0/24", init: "consensus=3", holders: 2 },
  { range: "10.2.0.0/24", init: "observer", holders: 1 },
  { range: "10.0.0.0/24", init: `seed=01:00:00:00:00:01,02:00:00:00:00:02`, holders: 5 },
  { range: "10.2.0.0/29", init: "consensus=1", holders: 10 },
  { range: "10.0.0.0/24", init: "consensus=1", holders: 0 },
  { range: "10.0.0.0/24", init: "consensus=1", holders: 4, reclaimAfterMs: hourMs },
];

function lifeOf(life: number, messageOf: (bytes: Uint8Array) => Uint8Array): FuzzLife {
  const peer = new WholePeer(situations[life % situations.length]!);
  return {
    consume(bytes) {
      // Mostly one after the other, at times with seconds between.
      const afterMs = fingerprint(bytes) % 64 === 0 ? 3000 : 1;
      return peer.hear(messageOf(bytes), afterMs);
    },
    end: () => peer.settle(),
  };
}

const ipamFiles = [
  "ipam/gossip_state",
  "ipam/unicast_messages",
  "ipam/update_dispatch",
  "ipam/merge_cases",
  "ipam/decode_tolerance",
  "ipam/conversation_claims",
  "ipam/conversation_competing_elections",
  "ipam/conversation_election_and_donation",
  "ipam/conversation_exhaustion",
];

const topologyPayloads = (): Uint8Array[] => [
  ...recordedBytes(
    ["mesh/topology-updates", "mesh/topology-variants", "mesh/topology-apply"],
    /hex$/i,
  ),
  encodeTopology([...aboutOurselves()]),
];

/** Records that touch what is ours: our own name, our neighbours', the ends of all ranges. */
function* aboutOurselves() {
  const link = { address: "10.0.0.1:6783", outbound: true, established: true };
  const links = new Map<PeerName, typeof link>([
    [ownName, link],
    [listener, { ...link, address: "[fe80::1%eth0]:6783" }],
    [0 as PeerName, { ...link, address: "" }],
    [(2 ** 48 - 1) as PeerName, { ...link, address: "no address at all" }],
  ]);
  const most = 2n ** 64n - 1n;
  for (const [name, uid, version, shortId] of [
    [ownName, 1n, most - 2n ** 32n, 7],
    [speaker, most, 1000n, 4095],
    [parsePeerName("09:00:00:00:00:09"), 0n, most, 65_535],
    [0 as PeerName, 1n, 1n, undefined],
  ] as const) {
    yield { name, nickname: "x".repeat(300), uid, version, shortId, links };
  }
}

const ipamPayloads = (): Uint8Array[] => [
  ...recordedBytes(ipamFiles, /hex$/i),
  ...ringsOfOurs(),
  ...electionsOfOurs(),
  ...councilsOfOurs(),
  ...[0, 1].map((start) =>
    encodeUnicast({ kind: "space-request", range: { start, end: 2 ** 32 - 1 } }),
  ),
];

const universe = { start: 0x0a000000, end: 0x0a000100 };

/** Rings of the range that most situations have, each odd in one respect. */
function ringsOfOurs(): Uint8Array[] {
  const entry = (offset: number, peer: PeerName, version: number, free: number) => ({
    token: universe.start + offset,
    peer,
    version,
    free,
  });
  const rings = [
    [entry(0, ownName, 5, 10), entry(128, speaker, 5, 128)],
    [entry(0, ownName, 0xffff_ffff, 10), entry(128, speaker, 0xffff_ffff, 128)],
    [entry(0, ownName, 1, 0xffff_ffff)],
    [entry(64, speaker, 1, 64), entry(32, speaker, 1, 32)],
    [entry(255, listener, 2, 1), entry(256, speaker, 2, 1)],
    Array.from({ length: 256 }, (_, at) => entry(at, at % 2 === 0 ? speaker : listener, 3, 1)),
  ];
  return rings.flatMap((entries) => {
    const ring = { universe, peer: speaker, entries, seeds: [] };
    const state = { nowSeconds: 1, nicknames: [[speaker, "two"]] as const, paxos: undefined, ring };
    return [encodeState(state), encodeUnicast({ kind: "ring-update", state })];
  });
}

/** Elections at the last round that fits, and with more nodes than were ever asked. */
function electionsOfOurs(): Uint8Array[] {
  const node = (name: PeerName, uid: bigint) => ({ name, uid });
  const proposal = (round: number) => ({ round, proposer: node(speaker, 2n) });
  return [0, 1, 2 ** 48 - 1].map((round) =>
    encodeState({
      nowSeconds: 1,
      nicknames: [],
      ring: undefined,
      paxos: [ownName, speaker, listener, 0 as PeerName].map((name, at) => ({
        node: node(name, BigInt(at)),
        claims: {
          promise: proposal(round),
          accepted: proposal(round),
          acceptedValue: { value: [speaker, ownName], origin: proposal(round) },
        },
      })),
    }),
  );
}

const members = [ownName, speaker, listener].map((peer, at) => ({ peer, incarnation: at + 1 }));

/** Decrees of a council that was never asked: to begin, to take our ranges, to end, at the limit. */
const decrees: readonly Decree[] = [
  noDecree,
  { ...noDecree, epoch: 1, afterMs: hourMs, heir: speaker, roster: members },
  {
    epoch: 2,
    removalEpoch: 2,
    afterMs: hourMs,
    heir: speaker,
    roster: members.slice(1),
    taken: [{ peer: ownName, epoch: 2 }],
    forgottenEpoch: 0,
    moved: [{ start: universe.start, end: universe.start + 100 }],
  },
  { ...noDecree, epoch: 3, removalEpoch: 3, forgottenEpoch: 2 },
  {
    epoch: Number.MAX_SAFE_INTEGER,
    removalEpoch: Number.MAX_SAFE_INTEGER,
    afterMs: Number.MAX_SAFE_INTEGER,
    heir: ownName,
    roster: members,
    taken: [{ peer: speaker, epoch: Number.MAX_SAFE_INTEGER }],
    forgottenEpoch: Number.MAX_SAFE_INTEGER,
    moved: [{ start: 0, end: 2 ** 32 }],
  },
];

/** What a council says to one peer, with each decree and a ring that fits, or hardly. */
function councilsOfOurs(): Uint8Array[] {
  const entries = [
    { token: universe.start, peer: ownName, version: 9, free: 10 },
    { token: universe.start + 128, peer: speaker, version: 9, free: 128 },
  ];
  const rings = [
    { universe, peer: speaker, entries, seeds: [] },
    { universe, peer: speaker, entries: [], seeds: [] },
    { universe, peer: speaker, entries: entries.toReversed(), seeds: [] },
    { universe: { start: 0, end: 256 }, peer: speaker, entries, seeds: [] },
  ];
  const ballot = { round: 1, proposer: speaker };
  return decrees.flatMap((decree, at) => {
    const vote = { ballot, decree: decrees[(at + 1) % decrees.length]! };
    const words: Word[] = [
      { kind: "renew", serial: 1 },
      { kind: "grant", serial: 1 },
      { kind: "prepare", vote, declaredDead: [ownName, listener], isVoted: true },
      { kind: "promise", ballot, vote },
      { kind: "accept", vote },
      { kind: "accepted", ballot },
      { kind: "leave", incarnation: 2 },
    ];
    const presence = { peer: speaker, incarnation: 2, afterMs: hourMs };
    const council = { presence, decree, words };
    return rings.map((ring) => {
      const state = { nowSeconds: 1, nicknames: [], paxos: undefined, ring, council };
      return encodeUnicast({ kind: "ring-update", state });
    });
  });
}

const namePayloads = (): Uint8Array[] => [
  ...recordedBytes(["dns/gossip", "dns/merge_cases"], /^hex$/),
  ...[0, 1, Number.MAX_SAFE_INTEGER].flatMap((version) =>
    encodeNames(
      [ownName, speaker, parsePeerName("09:00:00:00:00:09")].flatMap((origin) =>
        ["own.weave.local.", "OWN.weave.local.", "", "a..b", "x".repeat(300), "other.zone."].map(
          (hostname) =>
            makeEntry({
              containerId: "own",
              origin,
              address: 0x0a0000fa,
              hostname,
              version,
              tombstone: version % 2,
            }),
        ),
      ),
      1_700_000_000,
    ),
  ),
];

const linkPayloads = (): Uint8Array[] => [
  ...[0, 1, 5000, Number.MAX_SAFE_INTEGER].flatMap((forMs) =>
    [true, false].map((isNow) => encodeInterest({ isNow, forMs }, forMs)),
  ),
  ...[0, 1, 9].map((count) =>
    encodeSummary({
      countedMs: Number.MAX_SAFE_INTEGER,
      links: Array.from({ length: count }, (_, at) => ({
        ...{ peer: at as PeerName, isEstablished: true, overlay: "sleeve", isEncrypted: true },
        ...{ mtu: 65_535, roundTripMs: 0.3 },
        loss: { to: { frames: 9, lost: 9 }, from: { frames: 8, lost: 0 } },
        traffic: { sentPackets: 1, sentBytes: 2, receivedPackets: 3, receivedBytes: 4 },
      })),
    }),
  ),
];

/** Good envelope, damaged payload: by each kind of message, from a neighbour or from far away. */
function envelope(channel: string, payload: Uint8Array): Uint8Array {
  const choice = fingerprint(payload);
  const origin = [speaker, speaker, listener, parsePeerName("09:00:00:00:00:09")][choice & 3]!;
  if ((choice & 0x30) === 0) {
    const destination = (choice & 0x40) === 0 ? ownName : listener;
    return encodeMessage({ kind: "unicast", channel, origin, destination, payload });
  }
  if ((choice & 0x10) === 0) return encodeMessage({ kind: "broadcast", channel, origin, payload });
  return encodeMessage({ kind: "gossip", channel, sender: origin, payload });
}

/** Damaged messages of every tag, to a whole peer that is connected to two neighbours. */
export const messagesTarget: FuzzTarget = {
  name: "messages",
  corpus: () => [
    ...recordedBytes(["mesh/gossip-messages", "ipam/mesh_envelopes", "dns/gossip"], /^hex$/),
    ...recordedBytes(["mesh/intro"], /^messageHex$/),
    ...["00", "01", "02", "030592", "070001", "070002", "07000305c2", "08", "ff"].map(fromHex),
    ...topologyPayloads()
      .slice(0, 8)
      .map((payload) => envelope("topology", payload)),
    ...ipamPayloads()
      .slice(0, 8)
      .map((payload) => envelope("IPallocation", payload)),
    ...namePayloads()
      .slice(0, 8)
      .map((payload) => envelope("nameserver", payload)),
    envelope("a channel of a later release", Uint8Array.of(1, 2, 3)),
  ],
  begin: (life) => lifeOf(life, (bytes) => bytes),
};

function gossipTarget(channel: string, corpus: () => Uint8Array[]): FuzzTarget {
  return {
    name: `gossip-${channel}`,
    corpus,
    begin: (life) => lifeOf(life, (payload) => envelope(channel, payload)),
  };
}

/** Damaged payloads in good envelopes, decoded and applied. */
export const gossipTargets: readonly FuzzTarget[] = [
  gossipTarget("topology", topologyPayloads),
  gossipTarget("IPallocation", ipamPayloads),
  gossipTarget("nameserver", namePayloads),
  gossipTarget(linksChannel, linkPayloads),
];
