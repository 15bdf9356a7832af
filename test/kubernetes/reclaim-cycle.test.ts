import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../lib/base/random.ts";
import { type ListedPeer, PeerList } from "../../lib/kubernetes/peer-list.ts";
import { type Confirmation, ReclaimCycle } from "../../lib/kubernetes/reclaim-cycle.ts";
import { claimOn, gonePeers, turnMs } from "../../lib/kubernetes/reclaim-order.ts";

const peers: ListedPeer[] = Array.from({ length: 8 }, (_, at) => ({
  peerName: `8a:00:00:00:00:0${at + 1}`,
  nodeName: `n${at + 1}`,
}));
const [us, gone, other] = peers as [ListedPeer, ListedPeer, ListedPeer];
const three = listOf(us, gone, other);
const there = new Set([us.nodeName, other.nodeName]);

function listOf(...listed: ListedPeer[]): PeerList {
  return listed.reduce((list, peer) => list.withPeer(peer), new PeerList({}));
}

/** Past every turn. */
const lateMs = 1_000_000;

/** A cycle that has seen long ago that somebody is gone. */
function cycleOf(list = three): ReclaimCycle {
  const cycle = new ReclaimCycle(us, seededRandom(1));
  cycle.looked(list, there, 0);
  cycle.rested();
  return cycle;
}

const confirmation = (more: Partial<Confirmation> = {}): Confirmation => ({
  list: three.withLock(gone.peerName, us.peerName),
  ...{ hasNode: false, hasOwnNode: true },
  ...more,
});

describe("a peer is gone", () => {
  test("when its node is, and never else", () => {
    expect(gonePeers(three, there, us)).toEqual([gone]);
    expect(gonePeers(three, new Set(["n1", "n2", "n3"]), us)).toEqual([]);
  });

  test("when another one is on our node, who is we", () => {
    const former = { peerName: "8a:00:00:00:00:99", nodeName: us.nodeName };
    expect(gonePeers(listOf(us, former, other), there, us)).toEqual([former]);
    expect(gonePeers(listOf(us, former, other), there, other)).toEqual([]);
  });
});

describe("the lock of a peer that is gone", () => {
  const held = (holder: string) =>
    claimOn(three.withLock(gone.peerName, holder), gone.peerName, us);

  test("is free, ours, another's, or that of nobody who is left", () => {
    expect(claimOn(three, gone.peerName, us)).toBe("free");
    expect(held(us.peerName)).toBe("ours");
    expect(held(other.peerName)).toBe("taken");
    expect(held("8a:00:00:00:00:77")).toBe("orphaned");
  });
});

describe("the order in which nodes look after one that is removed", () => {
  const names = peers.map(({ nodeName }) => nodeName);
  const turns = (all: string[], gone: string) =>
    all.filter((name) => name !== gone).map((name) => turnMs(all, gone, name));

  test("has a place for each, half a second apart, and is another one for each that is removed", () => {
    for (const name of names) {
      expect(turns(names, name).sort((a, b) => a - b)).toEqual([
        ...[0, 500, 1000, 1500, 2000, 2500, 3000],
      ]);
    }
    const first = names.map((gone) => names.find((name) => turnMs(names, gone, name) === 0));
    expect(new Set(first).size).toBeGreaterThan(2);
  });

  test("lets ten try in five seconds, and all others later, but everybody in half a minute", () => {
    const many = Array.from({ length: 2000 }, (_, at) => `node-${at}`);
    const all = turns(many, "node-0");
    expect(all.filter((ms) => ms < 5000).length).toBe(10);
    expect(all.filter((ms) => ms < 10_000).length).toBeLessThan(300);
    expect(Math.max(...all)).toBe(30_000);
  });
});

describe("who looks after removed nodes", () => {
  test("sleeps when nobody is gone, and wakes for its turn when a node is removed", () => {
    const cycle = new ReclaimCycle(us, seededRandom(1));
    expect(cycle.step.kind).toBe("look");
    cycle.looked(listOf(us, other), there, 0);
    expect(cycle.step.kind).toBe("sleep");
    cycle.nodeAdded();
    expect(cycle.step.kind).toBe("sleep");
    cycle.nodeRemoved(gone.nodeName, there, 0);
    const turn = turnMs(there, gone.nodeName, us.nodeName);
    const { step } = cycle;
    const waitMs = step.kind === "rest" ? step.delayMs : 0;
    expect(waitMs).toBeGreaterThanOrEqual(turn);
    expect(waitMs).toBeLessThan(turn + 500);
    cycle.rested();
    cycle.looked(three, there, waitMs);
    expect(cycle.step).toEqual({ kind: "claim", peer: gone });
  });

  test("forgets no turn for that of another one, and looks again when a node is back", () => {
    const names = new Set(peers.map(({ nodeName }) => nodeName));
    const list = listOf(...peers);
    const cycle = new ReclaimCycle(us, seededRandom(1));
    cycle.looked(list, names, 0);
    const waits = ["n2", "n3", "n4"].map((name) => {
      names.delete(name);
      cycle.nodeRemoved(name, names, 0);
      return cycle.step.kind === "rest" ? cycle.step.delayMs : -1;
    });
    expect(waits).toEqual(waits.toSorted((a, b) => b - a));
    cycle.rested();
    cycle.looked(list, names, waits.at(-1)!);
    expect(cycle.step.kind).toBe("claim");
    cycle.failed();
    expect(cycle.step.kind).toBe("rest");
    cycle.nodeAdded();
    expect(cycle.step.kind).toBe("look");
  });

  test("waits for its turn, then locks, makes sure, takes and strikes", () => {
    const cycle = new ReclaimCycle(us, seededRandom(1));
    cycle.looked(three, there, 0);
    expect(cycle.step).toMatchObject({ kind: "rest" });
    cycle.rested();
    cycle.looked(three, there, lateMs);
    expect(cycle.step).toEqual({ kind: "claim", peer: gone });
    cycle.claimed(gone, true);
    expect(cycle.step).toEqual({ kind: "confirm", peer: gone });
    cycle.confirmed(gone, confirmation());
    expect(cycle.step).toEqual({ kind: "take", peer: gone });
    cycle.taken(gone, false, lateMs);
    expect(cycle.step).toEqual({ kind: "strike", peer: gone });
    cycle.struck();
    expect(cycle.step.kind).toBe("look");
    expect(cycle.reclaimed).toBe(1);
  });

  test("goes on with a lock of its own at once, and leaves those of others", () => {
    const cycle = new ReclaimCycle(us, seededRandom(1));
    cycle.looked(three.withLock(gone.peerName, us.peerName), there, 0);
    expect(cycle.step).toEqual({ kind: "confirm", peer: gone });
    const others = cycleOf();
    others.looked(three.withLock(gone.peerName, other.peerName), there, lateMs);
    expect(others.step.kind).toBe("rest");
    expect(others.gone).toBe(1);
  });

  test("takes over the lock of one that was struck itself", () => {
    const cycle = cycleOf();
    cycle.looked(three.withLock(gone.peerName, "8a:00:00:00:00:77"), there, lateMs);
    expect(cycle.step).toEqual({ kind: "claim", peer: gone });
  });

  test("gives the lock back when the node is there again, before and after it made sure", () => {
    const cycle = cycleOf();
    cycle.confirmed(gone, confirmation({ hasNode: true }));
    expect(cycle.step).toEqual({ kind: "release", peer: gone });
    const later = cycleOf();
    const all = new Set(["n1", "n2", "n3"]);
    later.looked(three.withLock(gone.peerName, us.peerName), all, lateMs);
    expect(later.step).toEqual({ kind: "release", peer: gone });
    later.released();
    expect(later.step.kind).toBe("look");
  });

  test("does not take twice what was struck meanwhile, nor what another one has locked", () => {
    const struck = cycleOf();
    const list = listOf(us, other).withLock(gone.peerName, us.peerName);
    struck.confirmed(gone, confirmation({ list }));
    expect(struck.step).toEqual({ kind: "strike", peer: gone });
    const lost = cycleOf();
    lost.confirmed(gone, confirmation({ list: three.withLock(gone.peerName, other.peerName) }));
    expect(lost.step.kind).toBe("rest");
  });

  test("takes from the peer that was on our node before us, whose node is there of course", () => {
    const former = { peerName: "8a:00:00:00:00:99", nodeName: us.nodeName };
    const list = listOf(us, former).withLock(former.peerName, us.peerName);
    const cycle = cycleOf();
    cycle.confirmed(former, confirmation({ list, hasNode: true }));
    expect(cycle.step).toEqual({ kind: "take", peer: former });
  });

  test("takes nothing while it may be gone itself: without node, or not in the list", () => {
    const nodeless = cycleOf();
    nodeless.looked(three, new Set([other.nodeName]), lateMs);
    expect([nodeless.standing, nodeless.step.kind]).toEqual(["nodeless", "rest"]);
    const struck = cycleOf();
    struck.looked(listOf(gone, other), there, lateMs);
    expect([struck.standing, struck.step.kind]).toEqual(["struck", "rest"]);
    for (const more of [
      { hasOwnNode: false },
      { list: listOf(gone, other).withLock(gone.peerName, us.peerName) },
    ]) {
      const cycle = cycleOf();
      cycle.confirmed(gone, confirmation(more));
      expect(cycle.step.kind).toBe("rest");
    }
  });

  test("looks three times in vain, then leaves it to others for a while, and looks again", () => {
    const cycle = cycleOf();
    const waits = Array.from({ length: 4 }, () => {
      cycle.looked(three.withLock(gone.peerName, other.peerName), there, lateMs);
      const { step } = cycle;
      cycle.rested();
      return step.kind === "rest" ? step.delayMs : 0;
    });
    expect(waits.map((ms) => ms >= 15_000)).toEqual([false, false, true, false]);
  });

  test("waits longer each time while the server fails, until something goes well", () => {
    const cycle = cycleOf();
    const wait = () => {
      cycle.failed();
      return cycle.step.kind === "rest" ? cycle.step.delayMs : 0;
    };
    const waits = [wait(), wait(), wait(), wait(), wait(), wait(), wait()];
    expect(waits[0]).toBeLessThanOrEqual(1000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(15_000);
    cycle.struck();
    expect(wait()).toBeLessThanOrEqual(1000);
  });

  test("keeps the lock of a peer that is part of the network still, tries again, and sees to others", () => {
    const cycle = cycleOf();
    const ours = three.withLock(gone.peerName, us.peerName);
    cycle.looked(ours, there, lateMs);
    cycle.taken(gone, true, lateMs);
    expect([cycle.step.kind, cycle.reclaimed]).toEqual(["look", 0]);
    cycle.looked(ours, there, lateMs);
    expect(cycle.step).toEqual({ kind: "rest", delayMs: 2000 });
    const fourth = peers[3]!;
    cycle.looked(ours.withPeer(fourth), there, lateMs);
    cycle.looked(ours.withPeer(fourth), there, lateMs + 1999);
    expect(cycle.step).toEqual({ kind: "claim", peer: fourth });
    cycle.looked(ours, there, lateMs + 2000);
    expect(cycle.step).toEqual({ kind: "confirm", peer: gone });
  });
});
