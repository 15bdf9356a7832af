import { type PeerGraph, unicastRoutes } from "../../base/peer-graph.ts";
import { byPeerName, type PeerName } from "../../base/peer-name.ts";

/**
 * Where the floods of every peer go on from here, all at once: what `broadcastHops` says of one.
 *
 * In the tree of S each peer hangs from the lowest of those neighbours that are one step closer to
 * S. Seen from neighbour N of ours that is the lowest first step on a shortest way to S. So one walk
 * from N tells for every S whether N hangs from us, and there are as many walks as we have
 * neighbours, not as many as there are peers:
 *
 *   walk from N:  step 0: N     first step of its neighbours: themselves
 *                 step d: S     first step: the lowest of those of its neighbours in step d − 1
 */
export function everyBroadcastHops(
  graph: PeerGraph,
  self: PeerName,
): Map<PeerName, readonly PeerName[]> {
  const { names, neighbours } = numbered(graph, self);
  const own = names.indexOf(self);
  const hops = new Map<PeerName, PeerName[]>();
  for (const neighbour of neighbours[own]!) {
    const firstSteps = lowestFirstSteps(neighbours, neighbour);
    for (const [source, firstStep] of firstSteps.entries()) {
      if (firstStep !== own) continue;
      const name = names[source]!;
      const known = hops.get(name);
      if (known === undefined) hops.set(name, [names[neighbour]!]);
      else known.push(names[neighbour]!);
    }
  }
  return hops;
}

/** Everybody who can be reached from `self`, in ascending order, and their neighbours by place. */
function numbered(
  graph: PeerGraph,
  self: PeerName,
): { names: readonly PeerName[]; neighbours: readonly (readonly number[])[] } {
  const names = [...unicastRoutes(graph, self).keys()].sort(byPeerName);
  const places = new Map(names.map((name, place) => [name, place]));
  const neighbours = names.map((name) =>
    Array.from(graph.neighbours(name), (neighbour) => places.get(neighbour)!).sort((a, b) => a - b),
  );
  return { names, neighbours };
}

const notReached = -1;

function lowestFirstSteps(neighbours: readonly (readonly number[])[], start: number): Int32Array {
  const count = neighbours.length;
  const steps = new Int32Array(count).fill(notReached);
  const firstSteps = new Int32Array(count).fill(notReached);
  steps[start] = 0;
  let reached = 1;
  let level = [start];
  // Those of the last level are complete before it is left: nobody is behind them.
  for (let step = 1; level.length > 0 && reached < count; step++) {
    const next: number[] = [];
    for (const peer of level) {
      const firstStep = firstSteps[peer]!;
      for (const other of neighbours[peer]!) {
        const way = step === 1 ? other : firstStep;
        if (steps[other] === notReached) {
          steps[other] = step;
          firstSteps[other] = way;
          next.push(other);
        } else if (steps[other] === step && way < firstSteps[other]!) firstSteps[other] = way;
      }
    }
    reached += next.length;
    level = next;
  }
  return firstSteps;
}
