import { errorText } from "../../base/errors.ts";
import { formatIpv4Cidr, type Ipv4Cidr } from "../../base/ip.ts";
import { formatPeerName, type PeerName } from "../../base/peer-name.ts";
import { cidrCover, cidrRange } from "../../ipam/range.ts";
import { type Beliefs, beliefsOf, mutualLinks } from "../beliefs.ts";
import { ipOf, SimCluster } from "../cluster.ts";
import { Disk } from "../disk.ts";
import { type Change, type Moment, type Pair, pairKey } from "./moments.ts";
import type { Script } from "./script.ts";

/** Quiet times are not longer than this: nothing is to be seen in them. */
const quietMaxMs = 60_000;
/** How long a moment may take effect before it is asked who believes what: a dial that failed, and news. */
const newsMs = 12_000;
/** Until all links of the beginning are there. */
const beginMaxMs = 180_000;
/** Until everything that was cut has come together. */
const healMaxMs = 900_000;
const pollMs = 1000;

/** How it stood after a moment. */
export interface Scene {
  /** Counted from 1; 0 is the beginning. */
  readonly step: number;
  /** Wall clock of who recorded it; absent for the beginning and the end. */
  readonly atMs: number | undefined;
  /** Virtual time since the beginning. */
  readonly virtualMs: number;
  readonly texts: readonly string[];
  readonly beliefs: Beliefs;
  /** Links that carry frames in the eyes of both ends. */
  readonly links: readonly Pair[];
}

export interface ReplayOptions {
  readonly seed: number;
  /** Moments to replay; all when missing. */
  readonly steps?: number | undefined;
  /** Wall clock: what happened later is left out. */
  readonly untilMs?: number | undefined;
}

/** How a replay ended. */
export interface ReplayEnd {
  /** Whether links are as the bundle tells; `undefined` when not all of it was replayed. */
  readonly asTold: boolean | undefined;
  /** Pairs whose link is not as it is told. */
  readonly differing: readonly Pair[];
  readonly healing: {
    /** Whether all reach all and have one ring; `afterMs` is how long that took. */
    readonly isWhole: boolean;
    readonly afterMs: number;
    readonly scene: Scene;
  };
}

/**
 * Carries out a script on the real protocols of all peers, in virtual time.
 *
 *   disks with the ring ─▶ all started, first links ─▶ moment by moment ─▶ all reconnected: whole?
 */
export class IncidentReplay {
  readonly cluster: SimCluster;
  readonly #script: Script;
  readonly #options: ReplayOptions;
  readonly #healings = new Map<string, () => void>();
  #step = 0;
  #beginMs = 0;

  constructor(script: Script, options: ReplayOptions) {
    this.#script = script;
    this.#options = options;
    const { cast, ring, domain } = script;
    const range = ring && formatIpv4Cidr(ring.universe);
    const hasRing = (ring?.ranges.length ?? 0) > 0;
    const init = hasRing ? "observer" : `consensus=${cast.names.length}`;
    this.cluster = new SimCluster(options.seed, {
      identity: (number) => ({ name: cast.names[number - 1]!, nickname: cast.label(number) }),
      control: {
        discovery: false,
        connectionLimit: 0,
        ipalloc: range === undefined ? undefined : { range, defaultSubnet: range, init },
        dns: domain === undefined ? undefined : { domain },
      },
    });
  }

  get moments(): readonly Moment[] {
    const { steps, untilMs = Number.POSITIVE_INFINITY } = this.#options;
    return this.#script.moments.filter(({ atMs }) => atMs <= untilMs).slice(0, steps);
  }

  /** Starts all peers as they were in the beginning. */
  async begin(): Promise<Scene> {
    const { cast, links, names } = this.#script;
    for (const [index, name] of cast.names.entries()) {
      const number = index + 1;
      const targets = links.filter(([from]) => from === number).map(([, to]) => ipOf(to));
      this.cluster.install(number, this.#diskOf(name, targets));
      this.cluster.start(number, targets);
    }
    await this.#runUntil(() => links.every((pair) => this.#isLinked(pair)), beginMaxMs);
    for (const { peer, hostname, address, container } of names) {
      const table = this.cluster.peer(peer)?.plane.names;
      table?.add(hostname, container, { family: 4, value: address });
    }
    await this.cluster.run(newsMs);
    this.#beginMs = this.cluster.clock.nowMs;
    return this.#scene(undefined, []);
  }

  /** One moment after the other, each with what peers believe when its news has gone round. */
  async *play(): AsyncGenerator<Scene> {
    const { moments } = this;
    for (const [index, { atMs, changes }] of moments.entries()) {
      this.#step = index + 1;
      const texts = changes.map((change) => change.text + this.#carryOut(change));
      const nextMs = moments[index + 1]?.atMs;
      const quietMs = nextMs === undefined ? newsMs : Math.min(nextMs - atMs, quietMaxMs);
      const lookMs = Math.min(quietMs, newsMs);
      await this.cluster.run(lookMs);
      yield this.#scene(atMs, texts);
      await this.cluster.run(quietMs - lookMs);
    }
  }

  /** Says how it ended, and what comes of it when everything is plugged in again. */
  async end(): Promise<ReplayEnd> {
    const isAll = this.moments.length === this.#script.moments.length;
    if (isAll) await this.#runUntil(() => this.#differing().length === 0, beginMaxMs);
    const differing = isAll ? this.#differing() : [];
    const healing = await this.#heal();
    return { asTold: isAll ? differing.length === 0 : undefined, differing, healing };
  }

  async #heal(): Promise<ReplayEnd["healing"]> {
    const { clock } = this.cluster;
    const startMs = clock.nowMs;
    for (const heal of this.#healings.values()) heal();
    this.#healings.clear();
    for (let number = 1; number <= this.#script.cast.names.length; number++) {
      if (this.cluster.peer(number) === undefined) this.#startAgain(number);
    }
    for (const pair of this.#everyLink()) this.#dial(pair);
    const isWhole = await this.#runUntil(() => isUnited(beliefsOf(this.cluster)), healMaxMs);
    const afterMs = clock.nowMs - startMs;
    await this.cluster.run(newsMs);
    return { isWhole, afterMs, scene: this.#scene(undefined, []) };
  }

  /** Every link that ever was; one for who never had any, to the host that tells of it. */
  #everyLink(): Pair[] {
    const { links, diallers, moments, cast, observer } = this.#script;
    const changed = moments.flatMap(({ changes }) =>
      changes.flatMap((change) => ("pair" in change ? [change.pair] : [])),
    );
    const pairs = [...links, ...diallers.values(), ...changed];
    const linked = new Set(pairs.flat());
    const lonely = cast.names.map((_, index) => index + 1).filter((number) => !linked.has(number));
    return [
      ...pairs,
      ...lonely.filter((number) => number !== observer).map((number): Pair => [number, observer]),
    ];
  }

  /** @returns what is to be said of it besides, with a comma before it */
  #carryOut(change: Change): string {
    switch (change.kind) {
      case "linked":
        this.#healings.get(pairKey(change.pair))?.();
        this.#healings.delete(pairKey(change.pair));
        this.#dial(change.pair);
        return "";
      case "parted":
        this.#part(change.pair);
        return "";
      case "stopped":
        this.cluster.stop(change.peer);
        return "";
      case "started":
        return this.#restart(change.peer);
      case "moved":
        return this.#move(change);
      default:
        return "";
    }
  }

  #part(pair: Pair): void {
    const [a, b] = pair.map(ipOf) as [string, string];
    const key = pairKey(pair);
    if (!this.#healings.has(key)) this.#healings.set(key, this.cluster.network.cut(a, b));
    this.cluster.network.reset(a, b);
  }

  #restart(number: number): string {
    const wasRunning = this.cluster.peer(number) !== undefined;
    if (wasRunning) this.cluster.kill(number, { silent: false });
    this.#startAgain(number);
    return wasRunning ? ", and had ended without a word" : "";
  }

  #startAgain(number: number): void {
    this.cluster.start(number, this.cluster.disk(number)?.targets ?? []);
  }

  /** Ranges of a peer that is gone are taken over, others asked for, as peers do. */
  #move({ from, to, range }: Extract<Change, { kind: "moved" }>): string {
    const taker = this.cluster.peer(to);
    const allocator = taker?.plane.ipam?.allocator;
    if (taker === undefined || allocator === undefined || range.from === undefined) return "";
    const { reached } = beliefsOf(this.cluster).each.find(({ number }) => number === to)!;
    if (from !== undefined && reached.includes(range.from)) {
      const [subnet] = cidrCover({ start: range.first, end: range.first + range.size });
      if (subnet !== undefined) this.#ask(allocator, subnet);
      return ", asked for by an allocation there";
    }
    try {
      const gained = allocator.takeover(formatPeerName(range.from), { force: true });
      return `, ${gained} taken over`;
    } catch (error) {
      return `, which is not possible here: ${errorText(error)}`;
    }
  }

  #ask(allocator: NonNullable<ReturnType<SimCluster["allocatorOf"]>>, subnet: Ipv4Cidr): void {
    const ident = `replay-${this.#step}-${subnet.address}`;
    const request = allocator.allocate(ident, subnet, { isContainer: false });
    // Where nobody gives any the request waits, as it would on a host.
    request.catch(() => {});
  }

  #dial(pair: Pair): void {
    const [from, to] = this.#script.diallers.get(pairKey(pair)) ?? pair;
    this.cluster.peer(from)?.plane.mesh.connect([ipOf(to)], { replace: false });
  }

  #isLinked([from, to]: Pair): boolean {
    const name = this.cluster.nameOf(to);
    const { topology } = this.cluster.peer(from)?.plane.recorder ?? {};
    const self = this.cluster.nameOf(from);
    return topology?.links.some((link) => link.includes(name) && link.includes(self)) === true;
  }

  /** Pairs of peers that run, and are linked where the bundle says that they are not, or the reverse. */
  #differing(): Pair[] {
    const { endLinks } = this.#script;
    const numbers = this.cluster.peers.map(({ number }) => number);
    return numbers.flatMap((a) =>
      numbers
        .filter((b) => b > a && this.#isLinked([a, b]) !== endLinks.has(pairKey([a, b])))
        .map((b): Pair => [a, b]),
    );
  }

  /** Whether it came true in time. */
  async #runUntil(reached: () => boolean, limitMs: number): Promise<boolean> {
    const { clock } = this.cluster;
    const endMs = clock.nowMs + limitMs;
    while (!reached()) {
      if (clock.nowMs >= endMs) return false;
      await this.cluster.run(pollMs);
    }
    return true;
  }

  #diskOf(self: PeerName, targets: readonly string[]): Disk {
    const disk = new Disk(targets);
    const { ring } = this.#script;
    if (ring === undefined || ring.ranges.length === 0) return disk;
    const entries = ring.ranges.map(({ first, size, owner, version }) => ({
      ...{ token: first, peer: owner, version, free: size },
    }));
    const state = { universe: cidrRange(ring.universe), entries, seeds: [] };
    const { addresses } = disk.open();
    addresses.save({ self, reset: false, ring: state, removed: [], added: [] });
    return disk;
  }

  #scene(atMs: number | undefined, texts: readonly string[]): Scene {
    const virtualMs = this.cluster.clock.nowMs - this.#beginMs;
    const links = mutualLinks(this.cluster);
    return { step: this.#step, atMs, virtualMs, texts, beliefs: beliefsOf(this.cluster), links };
  }
}

function isUnited({ parts, rings }: Beliefs): boolean {
  return parts.length === 1 && rings.length === 1;
}
