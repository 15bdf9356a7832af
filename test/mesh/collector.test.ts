import { describe, expect, test } from "bun:test";
import { Collector, collectionDelayMs, collectionGraceMs } from "../../lib/mesh/collector.ts";
import { Peers } from "../../lib/mesh/peers.ts";
import { loneWorld } from "../sim/world.ts";
import { nameOf, sketch } from "./records.ts";

function collector() {
  const { world, clock } = loneWorld();
  const peers = new Peers(sketch({ n: 1, links: [[2]] }));
  peers.apply([sketch({ n: 2, links: [[1], [3]] }), sketch({ n: 3, links: [[2]] })]);
  const removed: string[] = [];
  const made = new Collector(world, peers, (records) =>
    removed.push(records.map(({ nickname }) => nickname).join("+")),
  );
  const setLinks = (...links: number[]): void =>
    peers.setOwn(sketch({ n: 1, links: links.map((n) => [n]) }));
  return { collector: made, peers, clock, world, removed, setLinks };
}

describe("a peer that nothing leads to", () => {
  test("stays for a grace, and then goes with those behind it", () => {
    const { collector: made, clock, removed, setLinks } = collector();
    setLinks();
    made.linkLost(nameOf(2), 0);
    clock.run(collectionGraceMs - 1);
    expect(removed).toEqual([]);
    clock.run(1);
    expect(removed).toEqual(["host2+host3"]);
  });

  test("stays when a link to it comes back in time", () => {
    const { collector: made, clock, removed, setLinks, world } = collector();
    setLinks();
    made.linkLost(nameOf(2), 0);
    clock.run(collectionGraceMs - 1);
    setLinks(2);
    clock.run(10_000);
    expect(removed).toEqual([]);
    expect(world.timers).toBe(0);
  });

  test("goes at once if it had been silent for longer than the grace; those behind it later", () => {
    const { collector: made, clock, removed, setLinks } = collector();
    setLinks();
    made.linkLost(nameOf(2), 9_000);
    expect(removed).toEqual(["host2"]);
    clock.run(collectionGraceMs);
    expect(removed).toEqual(["host2", "host3"]);
  });

  test("is given what is left of the grace when it was silent for a while", () => {
    const { collector: made, clock, removed, setLinks } = collector();
    setLinks();
    made.linkLost(nameOf(2), 1_000);
    clock.run(collectionGraceMs - 1_001);
    expect(removed).toEqual([]);
    clock.run(1);
    expect(removed).toEqual(["host2"]);
  });

  test("is given the whole grace again once it was heard again", () => {
    const { collector: made, clock, removed, setLinks } = collector();
    made.linkLost(nameOf(2), 9_000);
    made.linkAdded(nameOf(2));
    setLinks();
    made.linkLost(nameOf(2), 0);
    clock.run(collectionGraceMs - 1);
    expect(removed).toEqual([]);
  });

  test("goes a delay and a grace after others said so, whatever else they say meanwhile", () => {
    const { collector: made, peers, clock, removed } = collector();
    peers.apply([sketch({ n: 2, version: 2n, links: [[1]] })]);
    for (let version = 3n; version < 60n; version++) {
      made.updated();
      clock.run(100);
      peers.apply([sketch({ n: 2, version, links: [[1]] })]);
      if (removed.length > 0) break;
    }
    expect(removed).toEqual(["host3"]);
    expect(clock.nowMs).toBeLessThanOrEqual(collectionDelayMs + collectionGraceMs + 100);
    expect(peers.has(nameOf(2))).toBe(true);
  });

  test("is given the whole grace when it fell silent long ago and was reached by another way since", () => {
    const { collector: made, peers, clock, removed, setLinks } = collector();
    peers.apply([sketch({ n: 3, version: 2n, links: [[2]] })]);
    setLinks(3);
    made.linkLost(nameOf(2), 9_000);
    clock.run(60_000);
    setLinks();
    made.linkLost(nameOf(3), 0);
    clock.run(collectionGraceMs - 1);
    expect(removed).toEqual([]);
  });

  test("stays as long as a connection relies on it", () => {
    const { collector: made, peers, clock, removed, setLinks } = collector();
    peers.pin(nameOf(2));
    setLinks();
    made.linkLost(nameOf(2), 0);
    clock.run(60_000);
    expect(removed).toEqual(["host3"]);
    peers.unpin(nameOf(2));
    made.linkLost(nameOf(2), 0);
    clock.run(60_000);
    expect(removed).toEqual(["host3", "host2"]);
  });

  test("is left alone when all is stopped", () => {
    const { collector: made, clock, world, removed, setLinks } = collector();
    setLinks();
    made.linkLost(nameOf(2), 0);
    made.updated();
    made.stop();
    clock.run(60_000);
    expect(world.timers).toBe(0);
    expect(removed).toEqual([]);
  });
});
