import type { FlagSpec, ValueSpec } from "../command-spec.ts";
import { eventFlags, traceFlags } from "./observation-flags.ts";
import { refusedLaunchFlags, refusedServiceFlags } from "./refused-launch-flags.ts";

/** The options of `weave launch`. Their rules and defaults live in `lib/daemon/launch-options.ts`. */

const text = (placeholder: string): ValueSpec => ({ kind: "text", placeholder });
const integer = (placeholder: string): ValueSpec => ({ kind: "integer", placeholder });
const cidr: ValueSpec = { kind: "cidr", placeholder: "cidr" };
const file: ValueSpec = { kind: "file", placeholder: "file" };
const listen: ValueSpec = { kind: "text", placeholder: "ip:port" };

const cluster: readonly FlagSpec[] = [
  {
    name: "password",
    value: text("secret"),
    environment: "WEAVE_PASSWORD",
    summary: "encrypt traffic between hosts; the same on every host",
  },
  {
    name: "password-file",
    value: { kind: "file", placeholder: "file" },
    summary: "read the password from the first line of a file, or of stdin with `-`",
  },
  {
    name: "trusted-subnets",
    value: { kind: "text", placeholder: "cidr,..." },
    summary: "leave traffic in clear between hosts of these subnets, when both ends say so",
  },
  {
    name: "port",
    value: integer("n"),
    default: "6783",
    environment: "WEAVE_PORT",
    summary: "TCP and UDP port of the router; the next one carries the fast datapath",
  },
  { name: "host", value: text("ip"), default: "all addresses", summary: "listen on this address" },
  {
    name: "name",
    value: text("peer-name"),
    default: "from the bridge, the state folder or the machine's ids",
    summary: "name of this peer, six hex octets",
  },
  { name: "nickname", value: text("word"), default: "host name", summary: "name people see" },
  {
    name: "no-discovery",
    summary: "connect to the peers given only, not to those they know",
    formerly: [{ name: "nodiscovery" }],
  },
  {
    name: "conn-limit",
    value: integer("n"),
    default: "200",
    summary: "connections at most; 0 for no limit",
    formerly: [{ name: "connlimit" }],
  },
  {
    name: "min-protocol-version",
    value: integer("n"),
    default: "1",
    summary: "refuse peers that speak only an older protocol (1 or 2)",
  },
  {
    name: "no-extensions",
    summary: "speak to all peers as Weave Net 2.x does, with its cipher, and not in newer ways",
  },
  { name: "resume", summary: "connect to the peers of the last run; give none" },
];

const addresses: readonly FlagSpec[] = [
  {
    name: "ipalloc-range",
    value: cidr,
    default: "10.32.0.0/12",
    summary: "the addresses of the whole cluster; empty turns allocation off",
    formerly: [{ name: "iprange" }],
  },
  {
    name: "ipalloc-default-subnet",
    value: cidr,
    default: "the range",
    summary: "where addresses come from when no subnet is asked for",
    formerly: [{ name: "ipsubnet" }],
  },
  {
    name: "ipalloc-init",
    value: text("mode"),
    default: "consensus",
    summary: "how a new cluster shares the range: consensus[=<n>], seed=<name>,..., or observer",
    formerly: [
      { name: "initpeercount", valuePrefix: "consensus=" },
      { name: "init-peer-count", valuePrefix: "consensus=" },
    ],
  },
  {
    name: "ipalloc-reuse",
    value: { kind: "choice", placeholder: "order", choices: ["lowest-first", "rested"] },
    default: "lowest-first",
    summary: "whether freed addresses are given out again at once or rest for a minute before",
  },
  {
    name: "reclaim-after",
    value: { kind: "duration", placeholder: "duration" },
    default: "336h",
    summary:
      "take the addresses of peers that are gone for so long, if all peers can agree to it, or never",
  },
  {
    name: "import-db",
    value: file,
    summary:
      "go on from the database of Weave Net 2.x (weavedata.db); used while there is no state",
  },
];

const names: readonly FlagSpec[] = [
  { name: "no-dns", summary: "run without weaveDNS" },
  {
    name: "dns-domain",
    value: text("domain"),
    default: "weave.local.",
    summary: "the domain whose names the cluster keeps",
  },
  {
    name: "dns-listen-address",
    value: listen,
    default: "port 53 at DOCKER_BRIDGE_IP or on the Docker bridge, else on the weave bridge",
    summary: "where weaveDNS listens",
  },
  { name: "dns-ttl", value: integer("s"), default: "1", summary: "life of an answer in seconds" },
  {
    name: "dns-fallback-timeout",
    value: { kind: "duration", placeholder: "duration" },
    default: "5s",
    summary: "how long to wait for the servers that know the other names",
  },
  {
    name: "resolv-conf",
    value: file,
    default: "/etc/resolv.conf",
    summary: "names those servers",
  },
];

const network: readonly FlagSpec[] = [
  {
    name: "mtu",
    value: text("octets"),
    default: "0: 1376 with a datapath in the kernel, 65535 without",
    environment: "WEAVE_MTU",
    summary: "size of packets inside the network; auto: as large as the hosts' network carries",
  },
  {
    name: "no-fastdp",
    environment: "WEAVE_NO_FASTDP",
    summary: "carry frames in user space (sleeve), not in the kernel",
  },
  {
    name: "no-bridged-fastdp",
    environment: "WEAVE_NO_BRIDGED_FASTDP",
    summary: "taken for compatibility: containers are always plugged into the bridge",
  },
  {
    name: "weave-bridge",
    value: text("link"),
    default: "weave",
    summary: "the bridge that containers are attached to",
  },
  {
    name: "docker-bridge",
    value: text("link"),
    default: "docker0",
    environment: "DOCKER_BRIDGE",
    summary: "Docker's bridge",
  },
  { name: "datapath", value: text("link"), default: "datapath", summary: "the kernel's datapath" },
  {
    name: "no-masq-local",
    summary: "keep source addresses of traffic to containers of this host",
  },
  { name: "bufsz", value: integer("MB"), default: "8", summary: "capture buffer of the bridge" },
];

const proxy: readonly FlagSpec[] = [
  {
    name: "proxy",
    default: "on where a Docker engine answers",
    summary: "serve the engine's API, so that containers made through it are attached; =false: not",
  },
  {
    name: "proxy-listen",
    short: "H",
    value: text("endpoint"),
    default: "unix:///var/run/weave/weave.sock, or tcp://0.0.0.0:12375 where docker uses TCP",
    repeatable: true,
    summary: "where: [tcp://][ip]:port or [unix://]/path",
  },
  {
    name: "no-default-ipalloc",
    summary: "attach only containers that have WEAVE_CIDR in their environment",
    formerly: [{ name: "no-default-ipam" }],
  },
  { name: "without-dns", summary: "do not make containers ask weaveDNS" },
  {
    name: "no-multicast-route",
    summary: "do not route multicast through the containers' interface here",
  },
  {
    name: "no-rewrite-hosts",
    summary: "leave the containers' /etc/hosts as the engine wrote it",
  },
  {
    name: "hostname-from-label",
    value: text("label"),
    summary: "take a container's host name from this label, not from its name",
  },
  {
    name: "hostname-match",
    value: text("regexp"),
    default: "(.*)",
    summary: "what of it is replaced, in the syntax of RE2",
  },
  {
    name: "hostname-replacement",
    value: text("text"),
    default: "$1",
    summary: "by what; $1 and $name are groups of the match",
  },
  {
    name: "rewrite-inspect",
    summary: "have 'docker inspect' show a container's address here",
  },
  { name: "tls", summary: "serve TLS" },
  { name: "tlsverify", summary: "serve TLS to who has a certificate of the authority" },
  { name: "tlscacert", value: file, default: "ca.pem", summary: "certificate of that authority" },
  { name: "tlscert", value: file, default: "cert.pem", summary: "certificate of the proxy" },
  { name: "tlskey", value: file, default: "key.pem", summary: "its key" },
  { name: "no-detect-tls", summary: "do not look how the engine itself serves TLS" },
];

const plugin: readonly FlagSpec[] = [
  {
    name: "plugin",
    default: "on where a Docker engine answers",
    summary: "be Docker's network plugin: --net=weave and networks of one's own; =false for none",
  },
  {
    name: "plugin-socket",
    value: file,
    default: "/run/docker/plugins/weave.sock",
    summary: "where Docker finds the driver for networks of a swarm; empty for none",
  },
  {
    name: "plugin-mesh-socket",
    value: file,
    default: "/run/docker/plugins/weavemesh.sock",
    summary: "where Docker finds the driver with addresses of its own; empty for none",
  },
  {
    name: "plugin-v2",
    summary: "be the plugin that Docker itself starts and keeps, see 'docker plugin'",
  },
  {
    name: "plugin-v2-multicast",
    summary: "route multicast into all networks of that plugin",
  },
];

const policy: readonly FlagSpec[] = [
  {
    name: "policy",
    value: { kind: "choice", placeholder: "when", choices: ["auto", "on", "off"] },
    default: "auto",
    summary:
      "whether this host enforces policies: from the first to the last that is known, also while there are none, or never",
  },
  {
    name: "policy-multicast",
    value: { kind: "choice", placeholder: "what", choices: ["allow", "deny", "egress"] },
    default: "allow",
    summary: "where policies are enforced, traffic to groups passes, is dropped, or goes by them",
  },
  {
    name: "policy-filter",
    value: { kind: "choice", placeholder: "filter", choices: ["auto", "nftables", "iptables"] },
    default: "auto",
    summary: "what enforces policies; auto takes nftables where the kernel has what it needs",
  },
  {
    name: "policy-standing",
    value: { kind: "choice", placeholder: "what", choices: ["keep", "cut"] },
    default: "keep",
    summary: "connections that a later policy does not allow go on, or are ended",
  },
];

const operation: readonly FlagSpec[] = [
  {
    name: "foreground",
    summary: "stay in the foreground and log to stderr, for systemd and the like",
  },
  {
    name: "http-addr",
    value: listen,
    default: "127.0.0.1:6784",
    environment: "WEAVE_HTTP_ADDR",
    summary: "control API; /path for a unix socket, empty for the socket in WEAVE_RUN_DIR only",
    formerly: [{ name: "httpaddr" }],
  },
  {
    name: "status-addr",
    value: listen,
    default: "127.0.0.1:6782",
    environment: "WEAVE_STATUS_ADDR",
    summary: "read-only status and metrics; empty for none",
  },
  { name: "metrics-addr", value: listen, default: "none", summary: "metrics only" },
  {
    name: "docker-api",
    value: text("endpoint"),
    default: "unix:///var/run/docker.sock",
    environment: "DOCKER_HOST",
    summary:
      "where the Docker engine answers; empty for none. Docker's variables for contexts, TLS and the version of its API are heeded",
    formerly: [{ name: "api" }],
  },
  {
    name: "log-level",
    value: {
      kind: "choice",
      placeholder: "level",
      choices: ["debug", "info", "warning", "error"],
    },
    default: "info",
    summary: "how much to log",
  },
  {
    name: "pkt-debug",
    summary: "log every packet",
    formerly: [{ name: "pktdebug" }],
  },
  { name: "no-restart", summary: "do not start the router again when it dies" },
];

const inGroup = (group: string, flags: readonly FlagSpec[]): FlagSpec[] =>
  flags.map((flag) => ({ ...flag, group }));

const shown: readonly FlagSpec[] = [
  ...inGroup("The cluster", cluster),
  ...inGroup("Addresses", addresses),
  ...inGroup("Names", names),
  ...inGroup("Network", network),
  ...inGroup("Docker API proxy", proxy),
  ...inGroup("Docker networks", plugin),
  ...inGroup("Policies", policy),
  ...inGroup("Events", eventFlags),
  ...inGroup("Traces", traceFlags),
  ...inGroup("Operation", operation),
];

export const launchFlags: readonly FlagSpec[] = [...shown, ...refusedLaunchFlags];

/**
 * Those that a service manager's files may hold. A password in them could be read in the arguments
 * of the process, and keeping it running is the manager's own business.
 */
const notOfServices = new Set(refusedServiceFlags.map(({ name }) => name));
export const serviceFlags: readonly FlagSpec[] = shown.filter(
  ({ name }) => !notOfServices.has(name),
);

/** What the routers of Weave Net 2.x have nothing of, so that a host that is taken over is given it. */
const unknownToOriginals: ReadonlySet<string> = new Set([
  ...["no-extensions", "ipalloc-reuse", "reclaim-after", "no-restart"],
  ...[...policy, ...eventFlags, ...traceFlags].map(({ name }) => name),
]);
export const adoptionFlags: readonly FlagSpec[] = shown.filter(({ name }) =>
  unknownToOriginals.has(name),
);
