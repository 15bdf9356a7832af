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
  const connections = facts.cluster?.mesh.connections ?? [];
  const hosts = new Set(
    connections
      .filter(({ state }) => state === "established")
      .map(({ address }) => hostOf(address)),
  );
  return ["weave reset", relaunch(facts, ...words, ...hosts)];
}
