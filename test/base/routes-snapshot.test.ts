import { expect, test } from "bun:test";
import type { PeerName } from "../../lib/base/peer-name.ts";
import { snapshotGraph } from "../../lib/base/routes-snapshot.ts";

const [a, b, c] = [1, 2, 3] as PeerName[] as [PeerName, PeerName, PeerName];

test("a link of a snapshot leads both ways, and unknown peers have none", () => {
  const graph = snapshotGraph({
    links: [
      [a, b],
      [c, a],
    ],
  });
  expect([...graph.neighbours(a)]).toEqual([b, c]);
  expect([...graph.neighbours(b)]).toEqual([a]);
  expect([...graph.neighbours(9 as PeerName)]).toEqual([]);
});
