/**
 * Which overlays two peers have in common, and which of them carries (sleeve §6.2, fastdp §7.8).
 */

/** More could not be told apart by the one-octet index of control messages. */
export const commonOverlaysMax = 256;

/**
 * Our overlays that the peer announced too, in our order, which gives them their index. Both sides
 * use their own order, so all peers must list `fastdp` before `sleeve`.
 */
export function commonOverlays(local: readonly string[], announced: string): string[] {
  const theirs = new Set(announced.split(" "));
  return local.filter((name) => theirs.has(name)).slice(0, commonOverlaysMax);
}

export interface CandidateState {
  readonly alive: boolean;
  /** The peer is not heard at the moment. */
  readonly onHold: boolean;
  readonly established: boolean;
}

/** The first usable candidate that is established, else the first usable one, else -1. */
export function chooseBest(candidates: readonly CandidateState[]): number {
  const usable = (candidate: CandidateState): boolean => candidate.alive && !candidate.onHold;
  const best = candidates.findIndex((candidate) => usable(candidate) && candidate.established);
  return best >= 0 ? best : candidates.findIndex(usable);
}
