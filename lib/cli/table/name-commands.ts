import type { ArgumentSpec, CommandSpec, FlagSpec } from "../command-spec.ts";
import { containerArgument, featureOff, fqdnValue, jsonFlag, notRunning } from "./shared-parts.ts";

/** weaveDNS. */

const ipArguments: ArgumentSpec = {
  kind: "address",
  placeholder: "ip",
  summary: "addresses without prefix length; without any, the container's own",
  minimum: 0,
  maximum: "many",
};

const optionalContainer: ArgumentSpec = { ...containerArgument, minimum: 0 };

const fqdnFlag: FlagSpec = {
  name: "fqdn",
  short: "h",
  value: fqdnValue,
  summary: "the name; without it, the container's host name and domain",
};

export const nameCommands: readonly CommandSpec[] = [
  {
    name: "dns-add",
    group: "Names",
    summary: "register a name for addresses",
    description: [
      "Registers a name for a container, or for any addresses at all when no container is given. Names of other domains than the cluster's are not registered; a note on stderr says so.",
    ],
    arguments: [ipArguments, optionalContainer],
    flags: [fqdnFlag],
    examples: [
      { line: "weave dns-add netns:c1 -h web.weave.local", explains: "all addresses of c1" },
      {
        line: "weave dns-add 192.168.48.20 -h db.weave.local",
        explains: "a machine outside; gone when this router stops",
      },
    ],
    exitCodes: [featureOff, notRunning],
  },
  {
    name: "dns-remove",
    group: "Names",
    summary: "take a name back",
    description: [
      "Undoes dns-add. Without a name it removes every name of the container for these addresses.",
    ],
    arguments: [ipArguments, optionalContainer],
    flags: [fqdnFlag],
    examples: [
      { line: "weave dns-remove netns:c1 -h web.weave.local", explains: "this name only" },
    ],
    exitCodes: [featureOff, notRunning],
  },
  {
    name: "dns-lookup",
    group: "Names",
    summary: "look a name up in the cluster",
    description: ["Prints one address a line, and nothing for an unknown name."],
    arguments: [
      {
        kind: "fqdn",
        placeholder: "name",
        summary: "with or without the cluster's domain",
        minimum: 1,
        maximum: 1,
      },
    ],
    flags: [jsonFlag],
    examples: [{ line: "weave dns-lookup web", explains: "same as web.weave.local" }],
    exitCodes: [featureOff, notRunning],
  },
  {
    name: "dns-args",
    group: "Names",
    summary: "print the options that make `docker run` use weaveDNS",
    description: [
      "Prints `--dns=<ip> --dns-search=<domain>` without a line end, and nothing when the router runs without DNS. DNS_ADDRESS and DNS_DOMAIN, when set, go before what the router says.",
    ],
    arguments: [],
    flags: [jsonFlag],
    examples: [
      {
        line: "docker run $(weave dns-args) -ti alpine",
        explains: "a container that uses weaveDNS",
      },
    ],
    exitCodes: [notRunning],
  },
];
