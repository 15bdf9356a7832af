import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import { GracePeriod, graceMs, togetherMs } from "../../../lib/overlay/fastdp/grace.ts";

const [a, b, c, d] = [1, 2, 3, 4] as PeerName[] as [PeerName, PeerName, PeerName, PeerName];
type Link = readonly [PeerName, PeerName];

/** The topology as `a` hears it. */
function heard(links: readonly Link[], peers: readonly PeerName[] = [a, b, c, d]) {
  return { peers: peers.map((name) => ({ name, nickname: "", shortId: 100 + name })), links };
}

const ring: Link[] = [
  [a, b],
  [b, c],
  [c, a],
];

describe("the topology with grace", () => {
  let grace: GracePeriod;
  const links = (nowMs: number) =>
    grace
      .effective(nowMs)
      .links.map(([from, to]) => `${from}-${to}`)
      .sort();

  beforeEach(() => {
    grace = new GracePeriod(a);
    const line: Link[] = [
      [a, b],
      [b, c],
      [c, d],
    ];
    grace.setTopology(heard(line), 1000);
  });

  test("has a deadline also where very many links are lost at once", () => {
    const many = Array.from({ length: 700_000 }, (_, n): Link => [b, (1000 + n) as PeerName]);
    grace.setTopology(heard([[a, b], ...many]), 2000);
    grace.setTopology(heard([]), 3000);
    expect(grace.deadlineMs).toBe(2000 + graceMs);
  });

  test("keeps ways to those whom nothing else leads to, for a while", () => {
    grace.setTopology(heard([[c, d]]), 2000);
    expect(links(2000)).toEqual(["1-2", "2-3", "3-4"]);
    expect(grace.deadlineMs).toBe(2000 + graceMs);
    expect(links(1999 + graceMs)).toEqual(["1-2", "2-3", "3-4"]);
    expect(links(2000 + graceMs)).toEqual(["3-4"]);
    expect(grace.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("keeps nothing where there is another way", () => {
    grace.setTopology(
      heard([
        [a, b],
        [b, d],
        [d, c],
      ]),
      2000,
    );
    expect(links(2000)).toEqual(["1-2", "2-4", "4-3"]);
    expect(grace.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("keeps its own link to a router that it and others lose one after the other", () => {
    grace = new GracePeriod(a);
    grace.setTopology(heard(ring), 2000);
    // b is started anew: a loses it, and c is still heard to have it.
    grace.setTopology(heard(ring.slice(1)), 3000);
    expect(links(3000)).toEqual(["2-3", "3-1"]);
    grace.setTopology(heard(ring.slice(2)), 3400);
    expect(links(3400)).toEqual(["1-2", "2-3", "3-1"]);
    grace.setTopology(heard(ring), 3800);
    expect(grace.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("does without a link that had ended long before the last one", () => {
    grace = new GracePeriod(a);
    grace.setTopology(heard(ring), 2000);
    grace.setTopology(heard(ring.slice(1)), 3000);
    grace.setTopology(heard(ring.slice(2)), 3001 + togetherMs);
    expect(links(3001 + togetherMs)).toEqual(["2-3", "3-1"]);
  });

  test("remembers who they are that nobody speaks of any more", () => {
    grace.setTopology(heard([], [a]), 2000);
    expect(grace.effective(2000).peers.map(({ shortId }) => shortId)).toEqual([101, 102, 103, 104]);
    grace.setTopology(heard([], [a]), 3000);
    expect(links(3000)).toEqual(["1-2", "2-3", "3-4"]);
    expect(grace.effective(2000 + graceMs).peers.map(({ name }) => name)).toEqual([a]);
  });

  test("keeps the short id of who is heard of without one, unless another has it", () => {
    const ids = (nowMs: number) => grace.effective(nowMs).peers.map(({ shortId }) => shortId);
    const { peers, links: all } = heard([
      [a, b],
      [b, c],
      [c, d],
    ]);
    const anew = (telling: number | undefined, other: number) => ({
      peers: peers.map((peer) => ({
        ...peer,
        shortId: peer.name === b ? telling : peer.name === d ? other : peer.shortId,
      })),
      links: all,
    });
    grace.setTopology(anew(undefined, 104), 2000);
    grace.setTopology(anew(undefined, 104), 5000);
    expect(ids(5000)).toEqual([101, 102, 103, 104]);
    expect(grace.deadlineMs).toBe(2000 + graceMs);
    expect(ids(2000 + graceMs)).toEqual([101, undefined, 103, 104]);
    grace.setTopology(anew(undefined, 104), 3000 + graceMs);
    expect(ids(3000 + graceMs)).toEqual([101, undefined, 103, 104]);
    grace.setTopology(anew(77, 104), 40_000);
    grace.setTopology(anew(undefined, 77), 41_000);
    expect(ids(41_000)).toEqual([101, undefined, 103, 77]);
    expect(grace.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("ends for each link when it is back, and begins when that one was lost", () => {
    grace.setTopology(heard([[a, b]]), 2000);
    expect(links(2000)).toEqual(["1-2", "2-3", "3-4"]);
    grace.setTopology(heard([]), 5000);
    expect(links(5000)).toEqual(["1-2", "2-3", "3-4"]);
    expect(links(2000 + graceMs)).toEqual(["1-2"]);
    grace.setTopology(heard([[a, b]]), 3000 + graceMs);
    expect(links(3000 + graceMs)).toEqual(["1-2"]);
    expect(links(9000 + graceMs)).toEqual(["1-2"]);
  });
});
