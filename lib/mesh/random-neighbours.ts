import { noPeer, type PeerName } from "../base/peer-name.ts";
import { type Random, randomUnit } from "../base/random.ts";

/** How many neighbours a round of gossip goes to, of `peers` in all including ourselves. */
export function gossipFanout(peers: number, neighbours: number): number {
  return Math.floor(Math.min(2 * Math.log2(peers), neighbours));
}

/**
 * Neighbours for a round of gossip: a random choice without repetition in which each weighs as much
 * as the number of peers behind it.
 */
export function randomNeighbours(
  unicast: ReadonlyMap<PeerName, PeerName>,
  except: ReadonlySet<PeerName>,
  random: Random,
): PeerName[] {
  const weights = new Map<PeerName, number>();
  for (const hop of unicast.values()) {
    if (hop !== noPeer && !except.has(hop)) weights.set(hop, (weights.get(hop) ?? 0) + 1);
  }
  const chosen: PeerName[] = [];
  let total = 0;
  for (const weight of weights.values()) total += weight;
  for (let left = gossipFanout(unicast.size, weights.size); left > 0; left--) {
    let mark = randomUnit(random) * total;
    for (const [neighbour, weight] of weights) {
      mark -= weight;
      if (mark >= 0) continue;
      chosen.push(neighbour);
      weights.delete(neighbour);
      total -= weight;
      break;
    }
  }
  return chosen;
}
