import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { FrameCounts, OverlayLink, OverlayLinkParameters } from "../../lib/base/overlay.ts";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { type Random, randomUnit, seededRandom } from "../../lib/base/random.ts";
import { encodeLinkCounts } from "../../lib/mesh/link-counts.ts";
import { LossMeter, lossPeriodMs, lossWindowMs, settleMs } from "../../lib/mesh/loss-meter.ts";
import { InstantOverlay } from "../sim/instant-overlay.ts";
import { ipOf, MeshCluster, simName } from "../sim/mesh-peer.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { loneWorld, SimWorld } from "../sim/world.ts";

/** A count that is published again and again, as that of a worker is. */
class LaggingCount {
  known = 0;
  #value = 0;
  #isDue = false;

  constructor(
    readonly clock: VirtualClock,
    readonly lagMs: number,
  ) {}

  add(): void {
    this.#value++;
    if (this.#isDue) return;
    this.#isDue = true;
    this.clock.after(this.lagMs - (this.clock.nowMs % Math.max(1, this.lagMs)), () => {
      this.#isDue = false;
      this.known = this.#value;
    });
  }
}

/** How a line is, both ways alike. */
interface Line {
  readonly loss: number;
  /** Frames take up to this, and overtake each other. */
  readonly delayMaxMs: number;
  /** What routers say to each other takes up to this. */
  readonly talkMaxMs: number;
  readonly lagMs: number;
}

/** Two ends of a line that frames take one way and the other, and what their meters make of it. */
class Ends {
  readonly clock = new VirtualClock();
  readonly meters: readonly [LossMeter, LossMeter];
  /** By the end that sent. */
  readonly lost: [number, number] = [0, 0];
  readonly counts: readonly [Counted, Counted];
  messages = 0;
  line: Line;
  readonly #random: Random;

  constructor(seed: number, line: Line) {
    this.line = line;
    this.#random = seededRandom(seed);
    const count = () => new LaggingCount(this.clock, line.lagMs);
    this.counts = [
      { sent: count(), received: count() },
      { sent: count(), received: count() },
    ];
    // Beats of two machines are apart.
    this.meters = [this.#meter(0), this.#meter(1)];
  }

  #meter(end: 0 | 1): LossMeter {
    const world = new SimWorld(this.clock, end);
    return new LossMeter(world, {
      counts: () => this.known(end),
      send: (body) => {
        this.messages++;
        this.clock.after(this.#upTo(this.line.talkMaxMs), () =>
          this.meters[1 - end]!.received(body),
        );
      },
    });
  }

  known(end: 0 | 1): FrameCounts[] {
    const { sent, received } = this.counts[end];
    return [{ overlay: "sleeve", sent: sent.known, received: received.known }];
  }

  frame(from: 0 | 1): void {
    this.counts[from].sent.add();
    if (randomUnit(this.#random) < this.line.loss) {
      this.lost[from]++;
      return;
    }
    this.clock.after(this.#upTo(this.line.delayMaxMs), () => {
      this.counts[from === 0 ? 1 : 0].received.add();
    });
  }

  #upTo(ms: number): number {
    return ms * randomUnit(this.#random);
  }

  /** What both ends believe was lost, by the end that sent: each pair as [sender says, receiver says]. */
  claims(): number[] {
    const [one, two] = this.meters.map(({ loss }) => loss?.total);
    return [
      ...[one?.to.lost ?? 0, two?.from.lost ?? 0],
      ...[two?.to.lost ?? 0, one?.from.lost ?? 0],
    ];
  }

  /** Lets both ends compare what there is before anything is sent. */
  meet(): void {
    this.clock.run(2 * lossPeriodMs);
  }
}

interface Counted {
  readonly sent: LaggingCount;
  readonly received: LaggingCount;
}

/** Bursts one way and the other, so close to each other that some are under way whenever ends look. */
const traffic = fc.array(
  fc.record({ from: fc.constantFrom(0, 1), frames: fc.nat(20), pauseMs: fc.nat(150) }),
  { minLength: 200, maxLength: 600, size: "max" },
);
const line = fc.record({
  loss: fc.constantFrom(0, 0, 0.01, 0.3),
  delayMaxMs: fc.nat(settleMs / 2 - 1),
  talkMaxMs: fc.nat(2000),
  lagMs: fc.nat(settleMs / 2),
});

describe("a meter of losses", () => {
  test("never tells of one that did not happen, and of all when traffic rests", () => {
    fc.assert(
      fc.property(fc.nat(), line, traffic, (seed, how, bursts) => {
        const ends = new Ends(seed, how);
        ends.meet();
        const claimNothingFalse = () => {
          const [byOne, byTwo] = ends.lost;
          const truth = [byOne, byOne, byTwo, byTwo];
          for (const [at, claim] of ends.claims().entries()) {
            expect(claim).toBeLessThanOrEqual(truth[at]!);
          }
        };
        for (const { from, frames, pauseMs } of bursts) {
          for (let left = frames; left > 0; left--) ends.frame(from as 0 | 1);
          ends.clock.run(pauseMs);
          claimNothingFalse();
        }
        ends.clock.run(3 * lossPeriodMs);
        claimNothingFalse();
        const [to, , back] = ends.claims();
        expect([to, back]).toEqual(ends.lost);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test("begins in the midst of traffic, and tells the share of what comes then", () => {
    const ends = new Ends(3, { loss: 0.1, delayMaxMs: 20, talkMaxMs: 20, lagMs: 100 });
    for (let second = 0; second < 180; second++) {
      for (let tenth = 0; tenth < 10; tenth++) {
        for (let left = 100; left > 0; left--) ends.frame(0);
        ends.clock.run(100);
      }
    }
    for (const { frames, lost } of [
      ends.meters[0].loss!.recent.to,
      ends.meters[1].loss!.recent.from,
    ]) {
      expect(frames).toBeGreaterThan(40_000);
      expect(lost / frames).toBeGreaterThan(0.085);
      expect(lost / frames).toBeLessThan(0.115);
    }
    expect(ends.meters[0].loss!.recent.from).toEqual({ frames: 0, lost: 0 });
  });

  test("says nothing while nothing is carried", () => {
    const ends = new Ends(1, { loss: 0, delayMaxMs: 1, talkMaxMs: 1, lagMs: 0 });
    ends.meet();
    const before = ends.messages;
    ends.clock.run(60 * lossPeriodMs);
    expect(ends.messages).toBe(before);
    ends.frame(0);
    ends.clock.run(60 * lossPeriodMs);
    // Each end has seen the frame, asks once and is answered.
    expect(ends.messages).toBe(before + 4);
  });

  test("forgets what was a minute ago, but for the sums", () => {
    const ends = new Ends(1, { loss: 1, delayMaxMs: 1, talkMaxMs: 1, lagMs: 0 });
    ends.meet();
    for (let left = 50; left > 0; left--) ends.frame(0);
    ends.clock.run(2 * lossPeriodMs);
    expect(ends.meters[0].loss!.recent.to).toEqual({ frames: 50, lost: 50 });
    ends.clock.run(lossWindowMs);
    expect(ends.meters[0].loss!.recent.to).toEqual({ frames: 0, lost: 0 });
    expect(ends.meters[0].loss!.total.to).toEqual({ frames: 50, lost: 50 });
  });

  test("stops with its link", () => {
    const ends = new Ends(1, { loss: 0, delayMaxMs: 1, talkMaxMs: 1, lagMs: 0 });
    for (const meter of ends.meters) meter.stop();
    expect(ends.clock.pending).toBe(0);
  });
});

/** A meter alone, whose neighbour is the test. */
function alone() {
  const { world, clock } = loneWorld();
  const state = { own: [{ overlay: "sleeve", sent: 0, received: 0 }], sent: [] as Uint8Array[] };
  const meter = new LossMeter(world, {
    counts: () => state.own,
    send: (body) => state.sent.push(body),
  });
  const own = (sent: number, received: number, overlay = "sleeve") => {
    state.own = [{ overlay, sent, received }];
  };
  /** The next question, answered. */
  const answer = (...counts: FrameCounts[]) => {
    state.sent.length = 0;
    clock.run(lossPeriodMs + settleMs);
    const number = new DataView(state.sent[0]!.buffer).getUint32(1);
    meter.received(encodeLinkCounts({ kind: "counts", number, counts }));
    clock.run(settleMs + 1);
  };
  return { meter, clock, state, own, answer };
}

const theirs = (sent: number, received: number, overlay = "sleeve"): FrameCounts => ({
  ...{ overlay, sent, received },
});

describe("counts", () => {
  test("that fall begin anew, at either end", () => {
    const { meter, own, answer } = alone();
    answer(theirs(0, 0));
    own(1000, 0);
    answer(theirs(0, 900));
    expect(meter.loss!.total.to).toEqual({ frames: 1000, lost: 100 });
    own(2000, 0);
    answer(theirs(0, 50));
    expect(meter.loss!.total.to).toEqual({ frames: 1000, lost: 100 });
    own(10, 0);
    answer(theirs(0, 60));
    own(110, 0);
    answer(theirs(0, 150));
    expect(meter.loss!.total.to).toEqual({ frames: 1100, lost: 110 });
  });

  test("of overlays that one end alone counts are left out", () => {
    const { meter, state, answer } = alone();
    state.own = [theirs(0, 0, "fastdp"), theirs(0, 0)];
    answer(theirs(0, 0));
    state.own = [theirs(500, 0, "fastdp"), theirs(100, 0)];
    answer(theirs(0, 99));
    expect(meter.loss!.total.to).toEqual({ frames: 100, lost: 1 });
    state.own = [theirs(900, 0, "fastdp"), theirs(101, 0)];
    answer(theirs(0, 0, "fastdp"), theirs(0, 100));
    expect(meter.loss!.total.to).toEqual({ frames: 100, lost: 1 });
    state.own = [theirs(1000, 0, "fastdp"), theirs(101, 0)];
    answer(theirs(0, 98, "fastdp"), theirs(0, 100));
    expect(meter.loss!.total.to).toEqual({ frames: 200, lost: 3 });
  });

  test("of nothing in common are no loss", () => {
    const { meter, own, answer } = alone();
    answer();
    own(5, 5);
    answer(theirs(1, 1, "pigeon"));
    expect(meter.loss).toBeUndefined();
  });

  test("that nobody asked for, or too late, are ignored", () => {
    const { meter, clock, state, own } = alone();
    const say = (number: number) =>
      meter.received(encodeLinkCounts({ kind: "counts", number, counts: [theirs(9, 9)] }));
    say(0);
    say(1);
    own(1, 1);
    clock.run(lossPeriodMs + settleMs);
    say(7);
    clock.run(lossPeriodMs);
    expect(state.sent.length).toBe(2);
    say(1);
    clock.run(settleMs + 1);
    expect(meter.loss).toBeUndefined();
    meter.received(new Uint8Array(3));
  });

  test("are told as often as a neighbour may want to know, and no more", () => {
    const { meter, clock, state } = alone();
    for (let number = 0; number < 1000; number++) {
      meter.received(encodeLinkCounts({ kind: "question", number }));
    }
    expect(state.sent.length).toBe(1);
    clock.run(1000);
    meter.received(encodeLinkCounts({ kind: "question", number: 1 }));
    expect(state.sent.length).toBe(2);
  });
});

/** Links that work at once and count what a test says. */
class CountingOverlay extends InstantOverlay {
  readonly counts = new Map<PeerName, FrameCounts>();

  override prepare(parameters: OverlayLinkParameters): OverlayLink {
    return Object.assign(super.prepare(parameters), {
      frameCounts: () => [this.counts.get(parameters.remote) ?? theirs(0, 0)],
    });
  }
}

describe("neighbours", () => {
  test("of our kind find what the line between them loses, and others hear nothing of it", () => {
    const cluster = new MeshCluster(1);
    const overlays = [1, 2, 3].map((n) => {
      const overlay = new CountingOverlay(new SimWorld(cluster.clock, n));
      const targets = n === 1 ? [] : [ipOf(1)];
      const options = n === 3 ? { extensions: [{ name: "digests", version: 1 } as const] } : {};
      cluster.start(n, targets, { realOverlay: overlay, ...options });
      return overlay;
    });
    cluster.clock.runUntil(() => cluster.isFullMesh(), 30_000);
    cluster.clock.run(3 * lossPeriodMs);
    const carry = (from: number, to: number, sent: number, received: number) => {
      overlays[from - 1]!.counts.set(simName(to), theirs(sent, 0));
      overlays[to - 1]!.counts.set(simName(from), theirs(0, received));
    };
    carry(1, 2, 1000, 980);
    carry(1, 3, 1000, 500);
    cluster.clock.run(3 * lossPeriodMs);
    const lossAt = (n: number) =>
      Object.fromEntries(
        cluster
          .peer(n)
          .mesh.status()
          .connections.map(({ peer, loss }) => [peer?.nickname, loss?.recent]),
      );
    const told = { frames: 1000, lost: 20 };
    const none = { frames: 0, lost: 0 };
    expect(lossAt(1)).toEqual({ host2: { to: told, from: none }, host3: undefined });
    expect(lossAt(2)).toEqual({ host1: { to: none, from: told }, host3: undefined });
    expect(lossAt(3)).toEqual({ host1: undefined, host2: undefined });
    for (const { events } of cluster.peers) {
      expect(events.filter(({ kind }) => kind === "disconnected")).toEqual([]);
    }
  });
});
