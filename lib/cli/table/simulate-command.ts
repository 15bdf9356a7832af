import type { CommandSpec, FlagSpec } from "../command-spec.ts";
import { jsonFlag } from "./shared-parts.ts";

function count(name: string, standard: string, summary: string): FlagSpec {
  return { name, value: { kind: "integer", placeholder: "n" }, default: standard, summary };
}

export const simulateCommand: CommandSpec = {
  name: "simulate",
  group: "More",
  summary: "run a whole cluster in this process, break it, and see whether it heals",
  description: [
    "Runs the code of mesh, address allocation and names of many peers on a virtual clock and a network in memory. Links are cut, slowed and reset, peers are killed, lose their disks, leave and come back, while users ask for addresses and names. Everything follows from the seed.",
    "It checks all the time that no address has two owners and that no queue grows without bound, and in the end that no address is lost, that all peers agree, that broadcasts come once, and that nothing is left running. If an invariant is broken it looks for the shortest history that shows it, and prints that with a drawing. See docs/simulator.md.",
  ],
  arguments: [],
  flags: [
    count("seed", "1", "which history"),
    count("peers", "20", "peers of the cluster, 2 to 1000"),
    count("faults", "200", "faults, 0 to 100000; users ask for as much"),
    count("minutes", "up to a second for each fault", "virtual minutes in which they happen"),
    {
      name: "reclaim",
      value: { kind: "duration", placeholder: "duration" },
      default: "never",
      summary: "ranges of peers silent for so long are taken, and peers are away for longer",
    },
    { name: "trace", summary: "print all that happens" },
    jsonFlag,
  ],
  examples: [
    { line: "weave simulate", explains: "a few seconds" },
    { line: "weave simulate --seed 7 --trace", explains: "another history, told in full" },
    {
      line: "weave simulate --peers 7 --reclaim 60s",
      explains: "peers away for minutes lose their ranges",
    },
    { line: "weave simulate --peers 100 --faults 50", explains: "a larger cluster" },
  ],
  exitCodes: [{ code: 1, when: "an invariant was broken" }],
};
