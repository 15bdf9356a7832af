import { describe, expect, test } from "bun:test";
import { explain } from "../../lib/simulator/playground/explain.ts";
import { Playground } from "../../lib/simulator/playground/playground.ts";

/** Longer than TCP repeats what is not acknowledged, and news takes. */
const noticedMs = 15_000;

async function settled(): Promise<Playground> {
  const playground = new Playground(1);
  await playground.advance(noticedMs);
  return playground;
}

function givenAddresses(playground: Playground): number[] {
  return playground
    .view()
    .hosts.flatMap(({ containers }) => containers.flatMap(({ address }) => address ?? []));
}

describe("five hosts to play with", () => {
  test("come together, divide the range with the first container, and know its name", async () => {
    const playground = await settled();
    expect(explain(playground.view())[0]).toStartWith("Nobody owns addresses yet");
    playground.addContainer(2);
    expect(explain(playground.view())[0]).toBe(
      "c1 waits: the hosts vote on who makes the ring. That takes 3 of 5.",
    );
    await playground.advance(noticedMs);
    expect(explain(playground.view())).toEqual([
      "All 5 hosts reach each other, over 10 links.",
      "Every host answers for the one name.",
    ]);
  });

  test("do not know of a cut at once, give out addresses in both halves, and agree after it", async () => {
    const playground = await settled();
    playground.addContainer(1);
    await playground.advance(noticedMs);
    playground.split([3, 4]);
    expect(explain(playground.view())[0]).toContain("1–3, 1–4, 2–3, 2–4, 3–5, 4–5 are cut");
    await playground.advance(noticedMs);
    expect(playground.view().beliefs.parts).toEqual([
      [1, 2, 5],
      [3, 4],
    ]);
    expect(explain(playground.view())).toContain(
      "3 and 4 still answer from their own share, and so do the others: no address is lost in a partition, and none is given twice.",
    );
    for (const host of [3, 1]) playground.addContainer(host);
    await playground.advance(noticedMs);
    expect(givenAddresses(playground)).toHaveLength(3);
    playground.healAll();
    await playground.advance(2 * noticedMs);
    const { beliefs, addressesTwice } = playground.view();
    expect([beliefs.parts.length, beliefs.rings.length, addressesTwice]).toEqual([1, 1, []]);
    expect(new Set(givenAddresses(playground)).size).toBe(3);
    expect(explain(playground.view()).at(-1)).toBe("Every host answers for all 3 names.");
  });

  test("take addresses of each other when one needs more than its share, up to the last", async () => {
    const playground = await settled();
    for (let count = 0; count < 70; count++) playground.addContainer(2);
    await playground.advance(4 * noticedMs);
    const given = givenAddresses(playground);
    // Of 64 the first and the last belong to the network.
    expect(given).toHaveLength(62);
    expect(new Set(given).size).toBe(62);
    expect(explain(playground.view())[0]).toContain("waits: 2 has no free address");
  });

  test("go on without one that is killed, which comes back with what it had", async () => {
    const playground = await settled();
    playground.addContainer(5);
    await playground.advance(noticedMs);
    const before = givenAddresses(playground);
    playground.kill(5);
    await playground.advance(noticedMs);
    expect(explain(playground.view())[0]).toStartWith("The router of 5 is dead.");
    expect(playground.view().beliefs.each).toHaveLength(4);
    playground.restart(5);
    await playground.advance(noticedMs);
    expect(givenAddresses(playground)).toEqual(before);
    expect(explain(playground.view()).at(-1)).toBe("Every host answers for the one name.");
  });

  test("pass frames on around a link that is deaf one way, and show what flies", async () => {
    const playground = await settled();
    playground.cut(1, 2, "one");
    expect(playground.cableOf(2, 1)).toEqual([1, 2]);
    playground.addContainer(1);
    await playground.advance(100);
    const { flights } = playground.view();
    expect(flights.some(({ from, to, isLost }) => from === 1 && to === 2 && isLost)).toBe(true);
    expect(flights.some(({ from, to, isLost }) => from === 1 && to === 3 && isLost)).toBe(false);
    await playground.advance(noticedMs);
    expect(explain(playground.view())).toContain(
      "1 and 2 reach each other by way of others: frames are passed on.",
    );
    playground.heal(1, 2);
    await playground.advance(noticedMs);
    expect(playground.view().cables.every(({ carries }) => carries)).toBe(true);
  });
});
