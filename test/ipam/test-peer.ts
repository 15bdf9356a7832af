import type { Channel, GossipData } from "../../lib/base/gossip.ts";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { type PeerName, parsePeerName } from "../../lib/base/peer-name.ts";
import type { AddressNews } from "../../lib/ipam/address-news.ts";
import {
  Allocator,
  type AllocatorConfig,
  type AllocatorPeers,
  type PreClaim,
} from "../../lib/ipam/allocator.ts";
import { parseInitMode } from "../../lib/ipam/init-mode.ts";
import type { VirtualClock } from "../sim/virtual-clock.ts";
import { loneWorld, type SimWorld } from "../sim/world.ts";
import { MemoryStore } from "./memory-store.ts";

export type Sent =
  | { kind: "unicast"; to: PeerName; payload: Uint8Array }
  | { kind: "broadcast"; payload: Uint8Array };

export interface TestPeerOptions {
  name: string;
  nickname?: string;
  uid?: bigint;
  universe?: string;
  defaultSubnet?: string;
  init?: string;
  targets?: number;
  reuse?: "lowest-first" | "rested";
  reclaimAfterMs?: number;
  store?: MemoryStore;
  containerAlive?: (ident: string) => boolean;
  preClaims?: PreClaim[];
  news?: AddressNews;
}

/** One allocator in a world of its own; what it sends is kept in {@link sent}. */
export class TestPeer implements AllocatorPeers, Channel {
  readonly name: PeerName;
  readonly allocator: Allocator;
  readonly store: MemoryStore;
  readonly world: SimWorld;
  readonly clock: VirtualClock;
  /** Peers of the topology, itself not included. */
  readonly known = new Set<PeerName>();
  /** Connections to it whose other end has not said its name. */
  callers = 0;
  sent: Sent[] = [];

  constructor(options: TestPeerOptions) {
    this.name = parsePeerName(options.name);
    this.store = options.store ?? new MemoryStore();
    ({ world: this.world, clock: this.clock } = loneWorld(1));
    const universe = options.universe ?? "10.32.0.0/12";
    const config: AllocatorConfig = {
      self: this.name,
      nickname: options.nickname ?? `host${this.name % 256}`,
      uid: options.uid ?? BigInt(this.name),
      universe: parseIpv4Cidr(universe),
      defaultSubnet: parseIpv4Cidr(options.defaultSubnet ?? universe),
      init: parseInitMode(options.init ?? "consensus"),
      ...(options.reuse === undefined ? {} : { reuse: options.reuse }),
      ...(options.reclaimAfterMs === undefined ? {} : { reclaimAfterMs: options.reclaimAfterMs }),
      ...(options.news !== undefined && { news: options.news }),
      quorumPeers: () => (options.targets ?? 0) + 1,
    };
    const { containerAlive } = options;
    this.allocator = new Allocator(this.world, config, this, this.store, containerAlive);
    this.allocator.setChannel(this);
    this.allocator.start(options.preClaims ?? []);
  }

  isKnown(peer: PeerName): boolean {
    return peer === this.name || this.known.has(peer);
  }

  canReach(peer: PeerName): boolean {
    return this.isKnown(peer);
  }

  *knownPeers(): Iterable<PeerName> {
    yield this.name;
    yield* this.known;
  }

  inSight(): number {
    return 1 + this.known.size + this.callers;
  }

  nickname(): undefined {
    return undefined;
  }

  unicast(to: PeerName, payload: Uint8Array): boolean {
    this.sent.push({ kind: "unicast", to, payload });
    return this.canReach(to);
  }

  broadcast(data: GossipData): void {
    for (const payload of data.encode()) this.sent.push({ kind: "broadcast", payload });
  }

  /** What was sent since the last call. */
  takeSent(): Sent[] {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }

  /** Lets seconds pass. */
  pass(seconds: number): void {
    this.clock.run(seconds * 1000);
  }
}

/** Peers that know each other. */
export function acquaint(...peers: TestPeer[]): void {
  for (const peer of peers)
    for (const other of peers) if (other !== peer) peer.known.add(other.name);
}

/** Delivers all that was sent, in order, until nobody has anything to say. */
export function deliver(peers: readonly TestPeer[], roundsMax = 1000): void {
  for (let round = 0; round < roundsMax; round++) {
    const [from, message] = nextMessage(peers);
    if (message === undefined || from === undefined) return;
    for (const to of peers) {
      if (to === from || !from.known.has(to.name)) continue;
      if (message.kind === "broadcast")
        to.allocator.channel.onBroadcast(from.name, message.payload);
      else if (message.to === to.name) to.allocator.channel.onUnicast(from.name, message.payload);
    }
  }
  throw new Error(`still talking after ${roundsMax} messages`);
}

function nextMessage(peers: readonly TestPeer[]): [TestPeer | undefined, Sent | undefined] {
  const from = peers.find(({ sent }) => sent.length > 0);
  return [from, from?.sent.shift()];
}

/** The state exchange of a new connection. */
export function connect(a: TestPeer, b: TestPeer): void {
  acquaint(a, b);
  const states = [a, b].map((peer) => peer.allocator.channel.full()?.encode() ?? []);
  for (const payload of states[0]!) b.allocator.channel.onGossip(a.name, payload);
  for (const payload of states[1]!) a.allocator.channel.onGossip(b.name, payload);
}
