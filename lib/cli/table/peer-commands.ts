import type { CommandSpec } from "../command-spec.ts";
import { featureOff, notRunning, peerArguments } from "./shared-parts.ts";

/** Which hosts belong to the cluster. */
export const peerCommands: readonly CommandSpec[] = [
  {
    name: "connect",
    group: "Peers",
    summary: "connect to further hosts",
    description: [
      "Adds peers to the ones this router connects to. The list outlives a crash and `weave launch --resume`.",
      "Names that are not well formed are reported one a line; the others are added all the same.",
    ],
    arguments: [{ ...peerArguments, minimum: 0 }],
    flags: [
      {
        name: "replace",
        summary: "the peers given become the whole list; with none given the list becomes empty",
      },
    ],
    examples: [
      { line: "weave connect 192.168.48.12", explains: "add one" },
      {
        line: "weave connect --replace 192.168.48.12 host3.example",
        explains: "exactly these two",
      },
    ],
    exitCodes: [{ code: 1, when: "a name was not well formed" }, notRunning],
  },
  {
    name: "forget",
    group: "Peers",
    summary: "stop trying to connect to hosts",
    description: [
      "Takes peers off the list, written exactly as they were given to launch or connect. Connections that stand are not cut.",
    ],
    arguments: [peerArguments],
    flags: [],
    examples: [{ line: "weave forget 192.168.48.12", explains: "when that host is gone" }],
    exitCodes: [notRunning],
  },
  {
    name: "prime",
    group: "Peers",
    summary: "wait until addresses can be allocated",
    description: [
      "Returns when the cluster has agreed on how to share the address range. Without a quorum it waits; Ctrl-C gives up waiting and harms nothing.",
    ],
    arguments: [],
    flags: [],
    examples: [{ line: "weave prime", explains: "in a script, between launch and attach" }],
    exitCodes: [featureOff, notRunning],
  },
  {
    name: "rmpeer",
    group: "Peers",
    summary: "take over the addresses of hosts that are gone for good",
    description: [
      "Takes over the address ranges of a peer that died without `weave reset`, and prints how many addresses that were. Run it on one host only, and never for a peer that may come back.",
    ],
    arguments: [
      {
        kind: "peer-id",
        placeholder: "peer_id",
        summary: "nickname or peer name, as `weave status ipam` shows it",
        minimum: 1,
        maximum: "many",
      },
    ],
    flags: [
      { name: "force", summary: "also when the router believes that the peer is still there" },
    ],
    examples: [{ line: "weave rmpeer host3", explains: "host3 burnt down" }],
    exitCodes: [{ code: 1, when: "a peer could not be removed, or the router is not running" }],
    notRunningExitCode: 1,
  },
];
