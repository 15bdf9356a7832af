import type { Facts } from "../facts.ts";
import { hostOf } from "../labels.ts";
import { shellLine } from "../shell-words.ts";

/** Of a launch without `--port`. */
const usualPort = 6783;

/** Starts the router with these options again, at its port. */
export function relaunch({ setup }: Facts, ...words: readonly string[]): string {
  const port = setup.port === usualPort ? [] : ["--port", `${setup.port}`];
  return shellLine("weave", "launch", ...port, ...words);
}

/** Leaves the cluster with all that is remembered of it, and joins it anew with these options. */
export function joinAnew(facts: Facts, ...words: readonly string[]): readonly string[] {
  return ["weave reset", relaunch(facts, ...words, ...meetingPoints(facts))];
}

/** Where to meet the cluster: as it was told, and at the hosts it has met besides. */
function meetingPoints({ cluster }: Facts): readonly string[] {
  if (cluster === undefined) return [];
  const { targets, connections } = cluster.mesh;
  const told = new Set(targets.map(hostOf));
  const met = connections.filter(({ peer }) => peer !== undefined);
  const others = met.map(({ address }) => hostOf(address)).filter((host) => !told.has(host));
  return [...targets, ...new Set(others)];
}
