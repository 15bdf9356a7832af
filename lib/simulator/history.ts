import { errorCode, errorText } from "../base/errors.ts";
import { formatIpv4, type Ipv4 } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { AddressRange } from "../ipam/range.ts";
import type { Fence } from "../ipam/reclaim-lease.ts";
import type { ControlPlaneOptions, PlaneEvent } from "../peer/control-plane.ts";
import { Bounds } from "./bounds.ts";
import { ipOf, SimCluster, type SimPeer, simName } from "./cluster.ts";
import type { Breach, Happening } from "./happening.ts";
import { Holdings } from "./holdings.ts";
import { Ownership } from "./ownership.ts";
import type { Shape } from "./plan.ts";
import { viewOnDisk } from "./views.ts";
import { WordCounter } from "./word-counter.ts";

const universeStart = "10.32.0.0";

/** What peers may refuse of each other while clocks are wrong. */
const clockSkewRefusal = "DNS_CLOCK_SKEW";
/**
 * What they may refuse after the loss of a disk: the peer learns from others what it owned, uses
 * versions again that it forgot, and a third one that remembers them refuses the mixture until the
 * owner has outbid its former self.
 */
const versionReuseRefusal = "IPAM_RING_INVALID";

/**
 * A cluster with a memory: what happened, what users were promised, and the first invariant that did
 * not hold. Everything that can be checked at once is checked here, when it changes.
 */
export class History {
  readonly shape: Shape;
  readonly cluster: SimCluster;
  readonly holdings = new Holdings();
  readonly ownership = new Ownership();
  readonly words = new Map<number, WordCounter>();
  readonly happenings: Happening[] = [];
  readonly #bounds: Bounds;
  /** By peer: raised when its disk is lost. */
  readonly #epochs = new Map<number, number>();
  /** By peer: raised when all that its users were promised is over. */
  readonly #tenancies = new Map<number, number>();
  readonly #observe: (happening: Happening) => void;
  #breach: Breach | undefined;

  constructor(
    seed: number,
    shape: Shape,
    observe: (happening: Happening) => void,
    fence: Fence | undefined,
  ) {
    this.shape = shape;
    this.#observe = observe;
    const { delayMs, jitterMs, setupJitterMs } = shape;
    this.cluster = new SimCluster(seed, {
      control: { discovery: shape.topology === "mesh" },
      link: { delayMs, jitterMs, setupJitterMs },
      ...(fence !== undefined && { fence }),
      onProcess: (peer) => this.#prepare(peer),
      onEvent: (number, event) => this.#event(number, event),
    });
    this.#bounds = new Bounds(this.cluster, shape.peers);
  }

  get nowMs(): number {
    return this.cluster.clock.nowMs;
  }

  /** The first invariant that did not hold. */
  get breach(): Breach | undefined {
    return this.#breach;
  }

  note(text: string, mark: string, peers: readonly number[]): void {
    const happening = { atMs: this.nowMs, text, mark, peers };
    this.happenings.push(happening);
    this.#observe(happening);
  }

  break(invariant: string, found: string, peers: readonly number[]): void {
    if (this.#breach !== undefined) return;
    this.#breach = { atMs: this.nowMs, invariant, found, peers };
    this.note(`broken: ${invariant}: ${found}`, "!", peers);
  }

  /** Lets time pass up to `atMs`, or up to the first breach. */
  async advance(atMs: number): Promise<void> {
    while (this.nowMs < atMs && this.#breach === undefined) {
      try {
        this.cluster.clock.run(Math.min(atMs - this.nowMs, 1000));
      } catch (error) {
        this.break("nothing fails inside", errorText(error), []);
      }
      // What users wait for is told them in between.
      await Promise.resolve();
      this.#checkBounds();
    }
  }

  epochOf(number: number): number {
    return this.#epochs.get(number) ?? 0;
  }

  /** Answers to requests of an earlier tenancy count for nothing: whoever asked is gone. */
  tenancyOf(number: number): number {
    return this.#tenancies.get(number) ?? 0;
  }

  /** The users of a peer are gone, and need nothing any more. */
  evict(number: number): void {
    this.holdings.lost(number);
    this.#tenancies.set(number, this.tenancyOf(number) + 1);
  }

  /** `ident` at `number` was told that it holds `address`. */
  given(number: number, ident: string, address: Ipv4): void {
    const twice = this.holdings.given(number, ident, address);
    if (this.shape.reclaimAfterMs > 0) this.#checkOwner(number, address);
    else if (twice !== undefined) this.break("no address is held twice", twice, [number]);
  }

  /**
   * With reclaim, containers of a peer that is cut off keep what they have, and so an address may be
   * in use twice until it returns. But nobody gives out what another one owns for most.
   */
  #checkOwner(number: number, address: Ipv4): void {
    const { owner, votes } = ownerForMost(this.cluster, address);
    const isElsewhere = owner !== undefined && owner !== simName(number);
    if (!isElsewhere || votes * 2 <= this.cluster.peers.length) return;
    const other = this.cluster.peers.find(({ name }) => name === owner);
    if (other === undefined || ownerAt(this.cluster, other, address) !== owner) return;
    const found = `${number} gave ${formatIpv4(address)}, which ${other.number} owns and ${votes} peers know`;
    this.break("an address is given by its owner alone", found, [number, other.number]);
  }

  /** A process is over: of what it owned, what it had not stored is another one's again. */
  ended(number: number): void {
    const onDisk = viewOnDisk(this.cluster, number) ?? [];
    const own = onDisk.filter(({ owner }) => owner === simName(number));
    this.#checkOwned(
      number,
      own.sort((a, b) => a.start - b.start),
    );
  }

  /** The disk of a peer that does not run is gone, with its containers. */
  wipe(number: number): void {
    this.cluster.wipe(number);
    this.ownership.forget(number);
    this.evict(number);
    this.#epochs.set(number, this.epochOf(number) + 1);
  }

  /** What a process of this peer is told at its start. */
  control(number: number): Partial<ControlPlaneOptions> {
    const range = `${universeStart}/${this.shape.prefix}`;
    const { reclaimAfterMs } = this.shape;
    const init = this.#initMode(number);
    return { ipalloc: { range, defaultSubnet: range, init, reclaimAfterMs } };
  }

  /** Whom a peer dials; the loss of any one leaves the rest connected. */
  targets(number: number): string[] {
    const { peers, topology } = this.shape;
    const next = ipOf((number % peers) + 1);
    if (topology === "ring" && number % 2 === 0) return [next];
    // Odd, so that in a ring those are dialled that dial nobody across.
    const far = Math.floor(peers / 3) | 1;
    return [next, ipOf(((number - 1 + far) % peers) + 1)];
  }

  #initMode(number: number): string {
    const { init, peers } = this.shape;
    // Whoever lost its disk must not make the ring again that it once made.
    if (init === "seed" && this.epochOf(number) > 0) return "observer";
    if (init === "seed") {
      const seeds = Array.from({ length: Math.min(3, peers) }, (_, index) => index + 1);
      return `seed=${seeds.map((seed) => seedName(seed)).join(",")}`;
    }
    if (init === "observers" && number > Math.ceil(peers / 2)) return "observer";
    return `consensus=${init === "observers" ? Math.ceil(peers / 2) : peers}`;
  }

  #prepare({ number, plane }: SimPeer): void {
    const counter = new WordCounter();
    counter.channel = plane.mesh.join("simulation", counter);
    this.words.set(number, counter);
    if (plane.ipam === undefined) return;
    plane.ipam.allocator.onOwnedRangesChanged = ({ current, isLocal }) => {
      // A process that was killed says what it likes: nobody hears it.
      if (!isLocal || this.cluster.peer(number)?.plane !== plane) return;
      this.#checkOwned(number, current);
    };
  }

  #checkOwned(number: number, ranges: readonly AddressRange[]): void {
    // What was taken from somebody who is away stays in its view; leases see to it that no more
    // comes of it than that.
    if (this.shape.reclaimAfterMs > 0) return;
    const shared = this.ownership.changed(number, ranges);
    if (shared !== undefined) this.break("no address has two owners", shared, [number]);
  }

  #event(number: number, event: PlaneEvent): void {
    if (event.kind !== "refused") return;
    const code = errorCode(event.error);
    if (code === clockSkewRefusal) return;
    if (code === versionReuseRefusal && this.#epochs.size > 0) return;
    const found = `${number} refused what ${event.origin} sent on ${event.channel}: ${errorText(event.error)}`;
    this.break("no peer refuses what another sends", found, [number]);
  }

  #checkBounds(): void {
    const exceeded = this.#bounds.exceeded();
    if (exceeded !== undefined) this.break("queues are bounded", exceeded.found, exceeded.peers);
  }
}

function ownerForMost(cluster: SimCluster, address: Ipv4) {
  const votes = new Map<PeerName, number>();
  let owner: PeerName | undefined;
  for (const peer of cluster.peers) {
    const said = ownerAt(cluster, peer, address);
    if (said === undefined) continue;
    votes.set(said, (votes.get(said) ?? 0) + 1);
    if (owner === undefined || votes.get(said)! > votes.get(owner)!) owner = said;
  }
  return { owner, votes: owner === undefined ? 0 : votes.get(owner)! };
}

/** In the eyes of `peer`. */
function ownerAt(cluster: SimCluster, peer: SimPeer, address: Ipv4): PeerName | undefined {
  const { ranges } = cluster.allocatorOf(peer).status();
  return ranges?.find(({ token, size }) => address >= token && address < token + size)?.peer;
}

function seedName(number: number): string {
  return formatPeerName(simName(number));
}
