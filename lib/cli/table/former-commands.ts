import type { CommandSpec } from "../command-spec.ts";

/**
 * What scripts for Weave Net 2.x call and nobody types: not in the overview, but answered as there.
 */
export const formerCommands: readonly CommandSpec[] = [
  {
    name: "bridge-type",
    group: "More",
    hidden: true,
    summary: "print how containers are wired to other hosts",
    description: [
      "Prints `bridge`, `bridged_fastdp` (the bridge is joined with a datapath of Open vSwitch) or `fastdp` (the bridge of an old release is such a datapath); nothing, with exit code 1, when there is no bridge. Needs no router. 'weave report' says more: see Router.Datapath.",
    ],
    arguments: [],
    flags: [],
    examples: [{ line: "weave bridge-type", explains: "in a script" }],
    exitCodes: [{ code: 1, when: "there is no bridge" }],
  },
  {
    name: "docker-bridge-ip",
    group: "More",
    hidden: true,
    summary: "print the address of Docker's bridge",
    description: [
      "Prints the first IPv4 address of docker0, or of the bridge that DOCKER_BRIDGE names, without a line end. Needs no router.",
    ],
    arguments: [],
    flags: [],
    examples: [{ line: "weave docker-bridge-ip", explains: "in a script" }],
    exitCodes: [{ code: 1, when: "there is no such bridge, or it has no address" }],
  },
  {
    name: "docker-tls-args",
    group: "More",
    hidden: true,
    summary: "print how the Docker engine of this host serves TLS",
    description: [
      "Prints the --tls options by which the engine runs, from the arguments of its process and its daemon.json. Needs no router.",
    ],
    arguments: [],
    flags: [],
    examples: [{ line: "weave docker-tls-args", explains: "in a script" }],
    exitCodes: [{ code: 1, when: "no engine runs here" }],
  },
];
