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
    "With --bundle it replays what 'weave report --bundle' has written on some host: the peers, ranges, names and links of then, and what became of them, moment by moment, with what each peer believes: parts of the network, addresses out of reach, rings that differ. Then everything is plugged in again, to see whether it heals. What the bundle cannot say is said.",
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
    {
      name: "bundle",
      value: { kind: "file", placeholder: "file" },
      summary: "replay what this file tells; of the flags above --seed alone goes with it",
    },
    {
      name: "until",
      value: { kind: "text", placeholder: "time" },
      summary: "with --bundle: up to a time (RFC 3339), or a duration after the first moment",
    },
    count("step", "all", "with --bundle: up to this moment, and then what each peer believes"),
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
    { line: "weave simulate --bundle incident.json.gz", explains: "what happened on real hosts" },
    {
      line: "weave simulate --bundle incident.json.gz --step 2",
      explains: "up to its second moment, and who believes what then",
    },
  ],
  exitCodes: [
    {
      code: 1,
      when: "an invariant was broken, a bundle cannot be read, or what it tells does not heal",
    },
  ],
};
