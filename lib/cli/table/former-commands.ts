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
    name: "env",
    group: "More",
    hidden: true,
    summary: "undo in a shell what `weave env` of an earlier release did",
    description: [
      "Earlier releases led docker to a proxy of weave's by setting DOCKER_HOST. This version has no such proxy; --restore prints the DOCKER_HOST from before.",
    ],
    arguments: [],
    flags: [{ name: "restore", summary: "print what DOCKER_HOST was before" }],
    examples: [
      { line: "eval $(weave env --restore)", explains: "lead docker to its engine again" },
    ],
    exitCodes: [{ code: 1, when: "there is nothing to restore, or --restore is missing" }],
  },
];
