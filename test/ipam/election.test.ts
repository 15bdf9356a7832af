import { expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { Election } from "../../lib/ipam/election.ts";

function elections(count: number): Election[] {
  return Array.from(
    { length: count },
    (_, at) => new Election({ name: ((at + 1) * 2 ** 40) as PeerName, uid: 1n }, true),
  );
}

/** Everybody hears everybody until nobody has anything to say. */
function talk(voters: readonly Election[]): void {
  for (let speakers = [...voters]; speakers.length > 0; ) {
    const next: Election[] = [];
    for (const speaker of speakers) {
      const table = speaker.table()!.map((claims) => ({ ...claims }));
      for (const voter of voters) if (voter.receive(table).tell) next.push(voter);
    }
    speakers = [...new Set(next)];
  }
}

test("whoever follows another's proposal that makes progress lets a tick pass", () => {
  const [low, high] = elections(2) as [Election, Election];
  low.start(3);
  high.start(3);
  talk([low, high]);
  expect(low.tick().tell).toBe(false);
  expect(high.tick().tell).toBe(true);
});

test("nobody lets two ticks pass in a row, whatever is heard meanwhile", () => {
  const [low, high, third] = elections(3) as [Election, Election, Election];
  low.start(4);
  high.start(4);
  talk([low, high]);
  expect(low.tick().tell).toBe(false);
  third.start(4);
  talk([low, third]);
  expect(low.tick().tell).toBe(true);
});

test("after silence everybody proposes again", () => {
  const [low, high] = elections(2) as [Election, Election];
  low.start(3);
  high.start(3);
  talk([low, high]);
  low.tick();
  low.tick();
  expect(low.tick().tell).toBe(true);
});

test("of ten voters that wait for an eleventh, one proposes at the next tick", () => {
  const voters = elections(10);
  for (const voter of voters) voter.start(11);
  talk(voters);
  expect(voters.filter((voter) => voter.tick().tell)).toHaveLength(1);
});
