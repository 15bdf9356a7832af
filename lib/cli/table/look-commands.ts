import type { CommandSpec, ValueSpec } from "../command-spec.ts";
import { intervalFlag, jsonFlag, notRunning } from "./shared-parts.ts";

const placeArgument: ValueSpec & { readonly summary: string } = {
  kind: "place",
  placeholder: "place",
  summary:
    "netns:<name or path>, pid:<n>, a Docker container, an address, a DNS name, a peer's name, nickname or address, or weave:expose for this host's bridge",
};

/** Commands that only look. */
export const lookCommands: readonly CommandSpec[] = [
  {
    name: "status",
    group: "Look",
    summary: "show how the router and its services are",
    description: [
      "Without an argument, a page about the router, the address allocator and DNS. With one, a list: the peers asked for (targets), the links (connections), the whole cluster (peers), the names (dns), who owns how many addresses (ipam).",
      "With --watch, the same again with the time whenever it has changed, until Ctrl-C: lines that are new begin with +, those that are gone with -. A router that stops is waited for.",
    ],
    arguments: [
      {
        kind: "choice",
        placeholder: "part",
        choices: ["targets", "connections", "peers", "dns", "ipam"],
        summary: "the list to show",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [
      { name: "watch", short: "w", summary: "go on, and print it again when it changes" },
      intervalFlag,
      jsonFlag,
    ],
    examples: [
      { line: "weave status", explains: "the page" },
      { line: "weave status connections", explains: "which hosts are reached, and how" },
      { line: "weave status connections --watch", explains: "links that come and go" },
    ],
    exitCodes: [{ code: 1, when: "the router is not running or not ready yet" }],
    notRunningExitCode: 1,
    featureOffExitCode: 1,
  },
  {
    name: "doctor",
    group: "Look",
    summary: "look for what is wrong on this host and its links, and say what mends it",
    description: [
      "Looks at the router's ports, the packet filter, routes, devices and their MTU, the links to other hosts, names, addresses and clocks as far as they can be seen from here, and the containers of this host. Each finding has a code, which docs/doctor.md explains, and the commands that mend it. Nothing is changed.",
      "Without a running router it looks at the host alone, as a launch without options would find it.",
    ],
    arguments: [],
    flags: [jsonFlag],
    examples: [
      { line: "weave doctor", explains: "before the first launch, or when something is slow" },
      { line: "weave doctor --json", explains: "for monitoring: the findings as JSON" },
    ],
    exitCodes: [
      { code: 5, when: "there are warnings: something works, but not as it should" },
      { code: 6, when: "there are errors: something does not work" },
    ],
  },
  {
    name: "why",
    group: "Look",
    summary: "follow a frame from one place to another, and say what is in its way",
    description: [
      "Goes the way of a frame step by step, as far as this host can see: the container's interface, route and neighbour entry, the bridge and its table, the peer at which the other MAC address is, and each hop between hosts with its overlay, why it is not a better one, cipher, path MTU, packet filter and last change; then the names of the address. What is wrong is listed with the commands that mend it; docs/doctor.md explains the codes.",
      "With one place: a container of this host for itself, or the way from this host to a peer or to a container elsewhere. Nothing is sent or changed. The inside of other hosts is not visible from here; the answer says what to run there.",
    ],
    arguments: [
      { ...placeArgument, minimum: 1, maximum: 1 },
      { ...placeArgument, summary: "where to: the same", minimum: 0, maximum: 1 },
    ],
    flags: [jsonFlag],
    examples: [
      { line: "weave why netns:blue db.weave.local", explains: "from a container to a name" },
      { line: "weave why 10.32.0.5", explains: "from this host to an address" },
      { line: "weave why host2", explains: "the link to a peer" },
    ],
    exitCodes: [
      { code: 5, when: "there is a way, but not as it should be" },
      { code: 6, when: "there is none, or nobody knows the place" },
      notRunning,
    ],
  },
  {
    name: "top",
    group: "Look",
    summary: "show this host's links, containers and events as they are, on the whole screen",
    description: [
      "The head has this peer, how many others there are, addresses, what goes over all links, and what 'weave doctor' would find. Below are the links with overlay, round trip, packet size, cipher and traffic in octets of containers' frames a second, the containers, and what happens. Nothing is sent or changed. While the router is away, what was known last stays.",
      "Keys: q ends, Tab or 1 to 3 go to a list, arrows or j and k choose a row, s sorts by the next column and r the other way round, / shows only rows with a text, p pauses, ? explains.",
      "Where standard output is no terminal, and with --once, what there is to show is printed once, as text. docs/terminal.md shows both.",
    ],
    arguments: [],
    flags: [intervalFlag, { name: "once", summary: "print it once, without a screen" }],
    examples: [
      { line: "weave top", explains: "to leave open" },
      { line: "weave top --once", explains: "for a ticket, or a script" },
    ],
    exitCodes: [notRunning],
  },
  {
    name: "map",
    group: "Look",
    summary: "draw the hosts of the network and the links between them",
    description: [
      "Hosts that reach each other are drawn together, and those apart that do not. A few hosts are joined by lines, which say what carries frames and how long a round trip takes; more are a table with a column for each; very many in the same situation are one line, and only the others have one each. What is not as it should be stands below.",
      "Every host knows all peers and links, the containers of its own, and of other hosts those that have told of them or have names. Links of other hosts are as those tell of them, who are asked and waited for, a second at most; of a link of which neither end tells it is known that it is there.",
    ],
    arguments: [],
    flags: [
      { name: "containers", short: "c", summary: "list the containers below their hosts" },
      { name: "all", short: "a", summary: "summarise nothing: a line for each host and container" },
      { name: "ascii", summary: "draw with ASCII alone, as where the locale is not of UTF-8" },
      { name: "dot", summary: "print a graph for Graphviz instead" },
      jsonFlag,
    ],
    examples: [
      { line: "weave map --containers", explains: "who is where" },
      { line: "weave map --dot", explains: "a graph for 'dot -Tsvg'" },
    ],
    exitCodes: [notRunning],
  },
  {
    name: "ui",
    group: "Look",
    summary: "print a link to a page that shows the network",
    description: [
      "Hosts, the links between them, containers, addresses and events as they happen, drawn in a browser of this host; two of them can be asked why one does or does not reach the other. The page is served by the router at an address that only this host reaches, loads nothing from anywhere else and changes nothing. The link lets in whoever has it, until the router stops.",
    ],
    arguments: [],
    flags: [jsonFlag],
    examples: [{ line: "weave ui", explains: "then open the link" }],
    exitCodes: [notRunning],
  },
  {
    name: "events",
    group: "Look",
    summary: "tell what has happened on this host and its network",
    description: [
      "Prints a line for each event, the oldest first: routers that came and went, links, containers attached and detached, addresses and who holds them, names, policies and what they block, repairs, and who asked for it. docs/events.md has all kinds. The latest thousands are known, also those of earlier runs.",
    ],
    arguments: [],
    flags: [
      { name: "follow", short: "f", summary: "go on as things happen" },
      {
        name: "since",
        value: { kind: "text", placeholder: "time" },
        summary: "begin so long ago (10m, 2h), or at a time (2026-01-02T15:04:05Z)",
      },
      {
        name: "kind",
        value: { kind: "text", placeholder: "kind" },
        repeatable: true,
        summary: "only this kind (link.lost), or all before its dot (link)",
      },
      {
        name: "container",
        value: { kind: "container", placeholder: "container" },
        repeatable: true,
        summary: "only what is about this container: its id, or how that begins",
      },
      {
        name: "peer",
        value: { kind: "peer", placeholder: "peer" },
        repeatable: true,
        summary: "only what is about this peer: its name or nickname",
      },
      {
        name: "json",
        summary: "print a JSON document for each event instead; docs/json.md has its schema",
      },
    ],
    examples: [
      { line: "weave events --since 1h", explains: "what became of the network in the last hour" },
      { line: "weave events -f --kind link --json", explains: "links, for a program" },
      {
        line: "weave events --kind policy --since 10m",
        explains: "what policies blocked, and who changed them",
      },
    ],
    exitCodes: [notRunning],
  },
  {
    name: "report",
    group: "Look",
    summary: "print everything the router knows, as JSON or through a template",
    description: [
      "Without an option one JSON document. With -f, the result of a Go text/template over the same data, which has the functions of Go and `json`.",
      "With --bundle all that explains an incident goes into one file, for whoever is to find out what went wrong: the report, events, what peers told each other and when, changes of links and of ranges, findings of 'weave doctor', measurements, and facts of the host. Passwords, keys, tokens, labels and values of the environment are not in it; it says what was taken out. 'weave simulate --bundle' replays it. docs/simulator.md describes the file.",
    ],
    arguments: [
      {
        kind: "file",
        placeholder: "file",
        summary: "with --bundle: where to; `-` for standard output, not compressed",
        minimum: 0,
        maximum: 1,
      },
    ],
    flags: [
      {
        name: "format",
        short: "f",
        value: { kind: "text", placeholder: "template" },
        summary: "a Go text/template",
      },
      { name: "bundle", summary: "write one file with all that explains an incident" },
      {
        name: "redact",
        value: { kind: "text", placeholder: "addresses,names" },
        summary: "with --bundle: put pseudonyms in place of addresses, names, or both",
      },
    ],
    examples: [
      { line: "weave report -f '{{.Router.Name}}'", explains: "one field" },
      { line: "weave report -f '{{json .DNS}}'", explains: "one part as JSON" },
      { line: "weave report --bundle incident.json.gz", explains: "all that explains an incident" },
      {
        line: "weave report --bundle --redact addresses,names",
        explains: "the same for a public place, into a file named after this host",
      },
    ],
    exitCodes: [
      { code: 1, when: "the template is wrong, or the file cannot be written" },
      notRunning,
    ],
  },
  {
    name: "version",
    group: "Look",
    summary: "print the version of this program and of the running router",
    description: ["Two lines: this program, then the router if one is running."],
    arguments: [],
    flags: [jsonFlag],
    examples: [{ line: "weave version", explains: "works without a router too" }],
  },
];
