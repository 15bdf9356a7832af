import type { CommandSpec } from "../command-spec.ts";
import {
  addressArguments,
  containerArgument,
  fqdnValue,
  jsonFlag,
  notRunning,
} from "./shared-parts.ts";

/** Containers and this host on the network. */
export const containerCommands: readonly CommandSpec[] = [
  {
    name: "attach",
    group: "Containers",
    summary: "put a running container on the network",
    description: [
      "Gives the container an interface `ethwe` with the addresses asked for and prints them without their prefix lengths. A container is anything with a network namespace. Attaching again adds addresses.",
    ],
    arguments: [addressArguments, containerArgument],
    flags: [
      { name: "without-dns", summary: "register no name for the container" },
      { name: "rewrite-hosts", summary: "write the container's /etc/hosts anew" },
      {
        name: "add-host",
        value: { kind: "text", placeholder: "name:ip" },
        repeatable: true,
        summary: "a further line for that /etc/hosts",
      },
      {
        name: "label",
        value: { kind: "text", placeholder: "key=value" },
        repeatable: true,
        summary:
          "what policies know it by; weave.works/namespace says its namespace, weave.works/port.<name> a port",
      },
      {
        name: "no-multicast-route",
        summary: "do not route multicast into the network",
      },
    ],
    examples: [
      { line: "weave attach netns:c1", explains: "one address of the default subnet" },
      {
        line: "weave attach 10.2.1.1/24 net:10.2.3.0/24 web",
        explains: "this address and one of that subnet for a Docker container",
      },
      {
        line: "weave attach netns:c1 --label app=web --label weave.works/namespace=shop",
        explains: "with what policies are to know it by",
      },
    ],
    exitCodes: [
      { code: 1, when: "there is no such container, or an address cannot be had" },
      { code: 2, when: "the container is not running" },
      notRunning,
    ],
  },
  {
    name: "detach",
    group: "Containers",
    summary: "take a container's addresses away again",
    description: [
      "Removes the addresses given (or that of the default subnet) from the container, prints them, and gives them back to the cluster. With its last address the container loses its interface.",
    ],
    arguments: [addressArguments, containerArgument],
    flags: [],
    examples: [{ line: "weave detach net:default netns:c1", explains: "undo a plain attach" }],
    exitCodes: [{ code: 1, when: "there is no such container" }, notRunning],
  },
  {
    name: "expose",
    group: "Containers",
    summary: "give this host an address on the network",
    description: [
      "Puts addresses on the bridge, so that this host (and what it routes) reaches the containers of their subnets. Prints the addresses; doing it again changes nothing.",
    ],
    arguments: [addressArguments],
    flags: [
      {
        name: "fqdn",
        short: "h",
        value: fqdnValue,
        summary: "register this name for the addresses",
      },
      {
        name: "without-masquerade",
        summary: "do not rewrite the source address of traffic between this host and the network",
      },
    ],
    examples: [
      { line: "weave expose", explains: "an address of the default subnet" },
      { line: "weave expose net:10.2.3.0/24 -h gw.weave.local", explains: "with a name" },
    ],
    exitCodes: [notRunning],
  },
  {
    name: "hide",
    group: "Containers",
    summary: "take this host's addresses away again",
    description: [
      "Undoes expose for the addresses given, or for all of the default subnet, and prints them.",
    ],
    arguments: [addressArguments],
    flags: [],
    examples: [{ line: "weave hide", explains: "every address of the default subnet" }],
    exitCodes: [notRunning],
  },
  {
    name: "attach-bridge",
    group: "Containers",
    summary: "join another bridge of this host with the network",
    description: [
      "Whatever is at that bridge is then on the network as well, under the addresses that it has. They must be part of no subnet that the cluster allocates, and no interface there may have a larger MTU than the network. Doing it again changes nothing; `weave reset`, or `ip link delete vethwebl<bridge>`, parts them.",
    ],
    arguments: [
      {
        kind: "text",
        placeholder: "bridge",
        summary: "the other bridge, docker0 if none is named",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [],
    examples: [{ line: "weave attach-bridge", explains: "Docker's own bridge" }],
    exitCodes: [{ code: 1, when: "there is no such bridge" }, notRunning],
  },
  {
    name: "ps",
    group: "Containers",
    summary: "list the containers on the network with their addresses",
    description: [
      "One line each: id, MAC address, addresses. `weave:expose` is this host itself. Containers named in the arguments are shown under the name given; those that are not on the network are left out.",
    ],
    arguments: [{ ...containerArgument, minimum: 0, maximum: "many" }],
    flags: [jsonFlag],
    examples: [{ line: "weave ps netns:c1", explains: "one container" }],
    exitCodes: [notRunning],
  },
];
