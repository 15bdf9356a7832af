import type { CommandSpec } from "../command-spec.ts";

/** Leading docker to the proxy. */
export const dockerCommands: readonly CommandSpec[] = [
  {
    name: "env",
    group: "Containers",
    summary: "print what leads docker to weave's proxy in a shell",
    description: [
      "Prints an assignment of DOCKER_HOST for a shell to evaluate. Containers that docker then makes are attached to the network before their command runs. Without a proxy it prints nothing, and a note on stderr.",
      "With --restore it prints the assignment of what DOCKER_HOST was before; needs no router.",
      "Where the proxy listens on all addresses, PROXY_HOST or the host of DOCKER_HOST stands for them.",
    ],
    arguments: [],
    flags: [{ name: "restore", summary: "print what DOCKER_HOST was before" }],
    examples: [
      { line: "eval $(weave env)", explains: "lead docker to the proxy" },
      { line: "eval $(weave env --restore)", explains: "lead docker to its engine again" },
    ],
    exitCodes: [{ code: 1, when: "there is nothing to restore" }],
  },
  {
    name: "config",
    group: "Containers",
    summary: "print the option that leads one docker command to weave's proxy",
    description: ["Prints `-H=<address>`, and nothing without a proxy, with a note on stderr."],
    arguments: [],
    flags: [],
    examples: [
      { line: "docker $(weave config) run -ti alpine", explains: "a container on the network" },
    ],
    exitCodes: [{ code: 1, when: "there is no proxy" }],
  },
];
