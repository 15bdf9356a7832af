import type { ArgumentSpec, CommandSpec } from "../command-spec.ts";

/** The demonstration, and the parts of it that run inside its containers. */

const visitorArguments: readonly ArgumentSpec[] = [
  { kind: "text", placeholder: "dns", summary: "address of weaveDNS", minimum: 1, maximum: 1 },
  { kind: "text", placeholder: "name", summary: "where to go", minimum: 1, maximum: 1 },
];

export const demoCommands: readonly CommandSpec[] = [
  {
    name: "demo",
    group: "More",
    summary: "show two hosts and three containers on this machine, then clean up",
    description: [
      "Makes two hosts and three containers as network namespaces, launches a router on each host, attaches the containers, gives them names, and shows them reach each other by address and by name. Needs root and nothing else. It removes everything it made, also when interrupted.",
    ],
    arguments: [],
    flags: [
      { name: "keep", summary: "leave it running and say what to try next" },
      {
        name: "name",
        value: { kind: "text", placeholder: "word" },
        default: "weave-demo",
        summary: "begin the names of what it makes with this word, so that several can stand",
      },
      { name: "remove", summary: "remove what an earlier `weave demo --keep` left" },
    ],
    examples: [
      { line: "weave demo", explains: "takes a few seconds" },
      { line: "weave demo --keep", explains: "then try it yourself" },
    ],
    exitCodes: [{ code: 1, when: "it did not work; the reason is on stderr" }],
  },
  {
    name: "demo-web",
    group: "More",
    hidden: true,
    summary: "the web server of the demonstration",
    description: ["Runs in a container of `weave demo` until that is removed."],
    arguments: [
      { kind: "file", placeholder: "file", summary: "its pid file", minimum: 1, maximum: 1 },
    ],
    flags: [],
    examples: [],
  },
  {
    name: "demo-ping",
    group: "More",
    hidden: true,
    summary: "the pings of the demonstration",
    description: ["Runs in a container of `weave demo`."],
    arguments: visitorArguments,
    flags: [],
    examples: [],
  },
  {
    name: "demo-fetch",
    group: "More",
    hidden: true,
    summary: "the web client of the demonstration",
    description: ["Runs in a container of `weave demo`."],
    arguments: visitorArguments,
    flags: [],
    examples: [],
  },
];
