import { expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { Audience, tellGapMs, viewersMax } from "../../lib/links/audience.ts";
import { VirtualClock } from "../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../lib/simulator/world.ts";

/** A peer in a cluster of so many, and when it has told whom. */
class Told {
  readonly clock = new VirtualClock();
  readonly told: [at: number, peer: number][] = [];
  readonly unreached = new Set<PeerName>();
  readonly audience: Audience;

  constructor(peers: number) {
    this.audience = new Audience(
      new SimWorld(this.clock, 1),
      () => peers,
      (due) => {
        for (const peer of due) this.told.push([this.clock.nowMs, peer]);
        return this.unreached;
      },
    );
  }

  asks(peer: number, isNow: boolean, forMs: number): void {
    this.audience.asked(peer as PeerName, { isNow, forMs });
  }

  get times(): number[] {
    return this.told.map(([atMs]) => Math.round(atMs));
  }
}

test("who asks once is told once, at once", () => {
  const peer = new Told(1);
  peer.asks(7, true, 0);
  peer.clock.run(60_000);
  expect(peer.told).toHaveLength(1);
  expect(peer.times[0]).toBeLessThanOrEqual(2);
  expect(peer.audience.size).toBe(0);
  expect(peer.clock.pending).toBe(0);
});

test("who wants to hear for a while is told every period until that is over", () => {
  const peer = new Told(1);
  peer.asks(7, true, 12_000);
  peer.clock.run(60_000);
  expect(peer.times.map((ms) => Math.round(ms / 1000))).toEqual([0, 5, 10]);
  expect(peer.clock.pending).toBe(0);
});

test("who says so again in time is told on and on, and no more often", () => {
  const peer = new Told(1);
  peer.asks(7, true, 45_000);
  for (let round = 0; round < 3; round++) {
    peer.clock.run(20_000);
    peer.asks(7, false, 45_000);
  }
  peer.clock.run(120_000);
  const gaps = peer.times.slice(1).map((ms, at) => ms - peer.times[at]!);
  expect(gaps.every((ms) => ms === 5000)).toBe(true);
  expect(peer.times).toHaveLength(21);
});

test("in a large cluster all are told less often, and not in one moment", () => {
  const peers = [1, 2, 3, 4].map(() => new Told(200));
  const firsts = peers.map((peer, at) => {
    for (let number = 0; number <= at; number++) peer.asks(number, true, 60_000);
    peer.clock.run(60_000);
    const mine = peer.told.filter(([, to]) => to === at).map(([ms]) => ms);
    expect(mine.map((ms) => Math.floor(ms / 1000))).toEqual([0, 20, 40]);
    return mine[0]!;
  });
  expect(new Set(firsts).size).toBe(4);
  expect(Math.max(...firsts)).toBeLessThan(400);
});

test("who floods with questions is told no more than once a second", () => {
  const peer = new Told(3);
  for (let at = 0; at < 10_000; at += 10) {
    peer.asks(7, true, at % 20 === 0 ? 0 : 1000);
    peer.clock.run(10);
  }
  expect(peer.told.length).toBeLessThanOrEqual(10_000 / tellGapMs + 1);
  expect(peer.told.length).toBeGreaterThanOrEqual(9);
});

test("so many are told and no more, until one of them wants nothing any more", () => {
  const peer = new Told(3);
  for (let number = 0; number < 1000; number++) peer.asks(number, true, 60_000);
  peer.clock.run(100);
  expect(new Set(peer.told.map(([, to]) => to)).size).toBe(viewersMax);
  peer.clock.run(65_000);
  peer.asks(500, false, 1000);
  peer.clock.run(100);
  expect(peer.told.at(-1)?.[1]).toBe(500);
});

test("who cannot be reached is told soon after", () => {
  const peer = new Told(3);
  peer.unreached.add(7 as PeerName);
  peer.asks(7, true, 10_000);
  peer.clock.run(1500);
  peer.unreached.clear();
  peer.clock.run(1500);
  expect(peer.times.map((ms) => Math.round(ms / 1000))).toEqual([0, 1, 2]);
  peer.audience.gone(7 as PeerName);
  peer.clock.run(60_000);
  expect(peer.told).toHaveLength(3);
  expect(peer.clock.pending).toBe(0);
});
