import { expect, test } from "bun:test";
import fc from "fast-check";
import { broadcastHops, unicastRoutes } from "../../../lib/base/peer-graph.ts";
import type { PeerName } from "../../../lib/base/peer-name.ts";
import { snapshotGraph } from "../../../lib/base/routes-snapshot.ts";
import { everyBroadcastHops } from "../../../lib/overlay/fastdp/trees.ts";

test("the floods of every peer go on as those of each one do", () => {
  const peer = fc.integer({ min: 1, max: 12 }).map((name) => name as PeerName);
  const link = fc.tuple(peer, peer).filter(([a, b]) => a !== b);
  const links = fc.uniqueArray(link, {
    selector: ([a, b]) => (a < b ? `${a} ${b}` : `${b} ${a}`),
    maxLength: 50,
  });
  fc.assert(
    fc.property(links, peer, (all, self) => {
      const graph = snapshotGraph({ links: all });
      const every = everyBroadcastHops(graph, self);
      for (const source of unicastRoutes(graph, self).keys()) {
        expect([...(every.get(source) ?? [])]).toEqual(broadcastHops(graph, source, self));
      }
      for (const source of every.keys()) expect(unicastRoutes(graph, self).has(source)).toBe(true);
    }),
    { seed: 1, numRuns: 3000 },
  );
});
