import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { syslogFacilityNames } from "../wire/syslog-message.ts";

/**
 * Everything a router is told at its start. Plain JSON values, because they travel from
 * `weave launch` to the router's process on standard input; addresses, subnets and names are
 * canonical text that has passed validation (see `launch-validation.ts`).
 */
export const launchOptionsSchema = v.strictObject({
  /** Hosts to connect to, as typed: `<host>[:<port>]`. */
  peers: v.array(v.string()),
  /** Connect to the peers of the last run; `peers` is empty then. */
  resume: v.boolean(),

  /** Address to listen on; empty for all. */
  host: v.string(),
  /** TCP and UDP; the fast datapath uses the next one. */
  port: v.number(),
  minProtocolVersion: v.picklist([1, 2]),
  /** Peer name; absent: found by the machine (host-network §4). */
  name: v.optional(v.string()),
  nickname: v.string(),
  /** Absent: traffic is not encrypted. Never empty. */
  password: v.optional(v.string()),
  trustedSubnets: v.array(v.string()),
  discovery: v.boolean(),
  /** 0 for no limit. */
  connectionLimit: v.number(),
  /** False: nothing is settled with peers that the original could not settle. */
  extensions: v.boolean(),

  /** Absent: allocation is off. */
  ipalloc: v.optional(
    v.strictObject({
      /** Network address and prefix length. */
      range: v.string(),
      /** The range was asked for: an overlap with a host route warns; else it is refused. */
      rangeGiven: v.boolean(),
      defaultSubnet: v.string(),
      /** The value of `--ipalloc-init`; empty when not given. */
      init: v.string(),
      /** Whether freed addresses rest before they are given out again; absent: not. */
      reuse: v.optional(v.picklist(["lowest-first", "rested"])),
      /** Silence after which the ranges of a peer may be taken; 0 for never. */
      reclaimAfterMs: v.optional(v.number()),
    }),
  ),

  /** A database of the original to go on from, if there is no state yet. */
  importDatabase: v.optional(v.string()),

  /** Absent: weaveDNS is off. */
  dns: v.optional(
    v.strictObject({
      /** With final dot. */
      domain: v.string(),
      /** `ip:port`; absent: the router chooses a bridge address. */
      listenAddress: v.optional(v.string()),
      ttlSeconds: v.number(),
      fallbackTimeoutMs: v.number(),
      /** File that names the upstream servers. */
      resolvConf: v.string(),
    }),
  ),

  /** Octets; 0: by the wiring; `auto`: what the underlay carries. */
  mtu: v.union([v.number(), v.literal("auto")]),
  fastdp: v.boolean(),
  bridgedFastdp: v.boolean(),
  weaveBridge: v.string(),
  dockerBridge: v.string(),
  datapath: v.string(),
  masqueradeLocal: v.boolean(),
  captureBufferMegabytes: v.number(),

  /** `ip:port`, `/path` of a unix socket, or empty for none. */
  httpAddress: v.string(),
  statusAddress: v.string(),
  metricsAddress: v.string(),
  /** Endpoint of the Docker engine; empty for none. */
  dockerApi: v.string(),
  /** How it is spoken to; absent: in clear, and in the newest version that both have. */
  dockerAccess: v.optional(
    v.strictObject({
      /** Of the engine's API. */
      apiVersion: v.optional(v.string()),
      /** Files with PEM; absent ones are not used. */
      tls: v.optional(
        v.strictObject({
          caFile: v.optional(v.string()),
          certFile: v.optional(v.string()),
          keyFile: v.optional(v.string()),
          /** Whether the engine's certificate must be signed and bear its name. */
          verify: v.boolean(),
        }),
      ),
    }),
  ),
  /** How containers come to the network that the proxy or the plugin brings. */
  engineContainers: v.optional(
    v.strictObject({
      /** Those that do not ask for an address get one. */
      getDefaultAddress: v.boolean(),
      /** Their hosts files name their address here. */
      rewriteHosts: v.boolean(),
      /** All multicast groups are routed through their interface. */
      multicastRoute: v.boolean(),
    }),
    { getDefaultAddress: true, rewriteHosts: true, multicastRoute: true },
  ),
  /** The proxy before the engine's API; absent: off. */
  proxy: v.optional(
    v.strictObject({
      /** `tcp://ip:port` or `unix:///path`; empty: the socket in the run folder. */
      listen: v.array(v.string()),
      /** Containers are told to ask weaveDNS. */
      dns: v.boolean(),
      /** Which of a container's names becomes its host name. */
      hostname: v.strictObject({
        /** Label whose value stands for the name; empty for none. */
        fromLabel: v.string(),
        /** In the syntax of RE2. */
        match: v.string(),
        replacement: v.string(),
      }),
      /** Questions about containers are answered with their address here. */
      rewriteInspect: v.boolean(),
      /** Absent: as the engine itself does, where that can be found out. */
      tls: v.optional(
        v.strictObject({
          /** False: in clear, whatever the engine does. */
          enabled: v.boolean(),
          /** Clients must have a certificate of the authority. */
          verify: v.boolean(),
          /** Files with PEM. */
          ca: v.string(),
          cert: v.string(),
          key: v.string(),
        }),
      ),
    }),
  ),
  /** Docker's network plugin; absent: off. */
  plugin: v.optional(
    v.strictObject({
      /** In so many words: else it is there once a Docker engine is. */
      asked: v.boolean(),
      /** Absolute path of the socket for networks of a swarm; empty for none. */
      socket: v.string(),
      /** The same for networks with addresses of our allocator. */
      meshSocket: v.string(),
      /** Docker itself keeps this process: every network that it speaks of is ours. */
      managed: v.boolean(),
      /** Whether multicast is routed into networks of a managed plugin. */
      multicast: v.boolean(),
    }),
  ),

  /** What the agent of a node of Kubernetes is told; absent: this host is none. */
  kubernetes: v.optional(
    v.strictObject({
      /** As the API server has it. */
      nodeName: v.string(),
      /** Path of a kubeconfig file; absent: this is a pod, which has an account. */
      kubeconfig: v.optional(v.string()),
      /** Peers are those that were given, and not all nodes. */
      peersGiven: v.boolean(),
      /** Peers besides all nodes. */
      otherPeers: v.array(v.string()),
      /** Network policies are enforced. */
      policy: v.boolean(),
      /** Where their measurements are, as those of `weave-npc`: `ip:port`, or empty for nowhere. */
      policyMetricsAddress: v.string(),
      /** With prefix; absent: one is allocated for the bridge. */
      exposeAddress: v.optional(v.string()),
      /** Where the host's own root is mounted. */
      hostRoot: v.string(),
      /** Absent: where runtimes look for plugins. */
      pluginFolder: v.optional(v.string()),
      hairpin: v.boolean(),
    }),
  ),

  /** Policies that hosts tell each other of; see docs/policy.md. */
  policy: v.optional(
    v.strictObject({
      /** `auto`: enforced from the first policy that is known to the last. */
      mode: v.picklist(["auto", "on", "off"]),
      /** Traffic of containers to groups. */
      multicast: v.picklist(["allow", "deny", "egress"]),
      /** What enforces them; `auto`: nftables where the kernel has what it takes. */
      filter: v.picklist(["auto", "nftables", "iptables"]),
      /** Connections that a later policy does not allow: `cut` ends them. */
      standing: v.optional(v.picklist(["keep", "cut"]), "keep"),
    }),
    { mode: "auto", multicast: "allow", filter: "auto", standing: "keep" },
  ),

  /** Where else events go; absent: nowhere. */
  events: v.optional(
    v.strictObject({
      /** Absolute path. */
      file: v.optional(v.string()),
      syslog: v.optional(
        v.strictObject({
          /** As `formatSyslogTarget` writes it. */
          to: v.string(),
          facility: v.picklist(syslogFacilityNames),
        }),
      ),
    }),
  ),

  /** Where traces go; absent: nothing is traced. */
  tracing: v.optional(
    v.strictObject({
      /** URL, path included. */
      endpoint: v.string(),
      /** `name=value`, as they are sent. Never shown. */
      headers: v.array(v.string()),
      /** Attributes of this service. */
      resource: v.record(v.string(), v.string()),
      timeoutMs: v.number(),
    }),
  ),

  logLevel: v.picklist(["debug", "info", "warning", "error"]),
  packetDebug: v.boolean(),
  /** Start the router again when it dies. */
  restart: v.boolean(),
});

/** Of a node of Kubernetes. */
export type AgentOptions = NonNullable<LaunchOptions["kubernetes"]>;

export type LaunchOptions = v.InferOutput<typeof launchOptionsSchema>;

/**
 * Reads what {@link LaunchOptions} became as JSON.
 *
 * @throws WeaveError `LAUNCH_OPTIONS` when the text is anything else
 */
export function decodeLaunchOptions(text: string): LaunchOptions {
  try {
    return v.parse(launchOptionsSchema, JSON.parse(text));
  } catch (cause) {
    throw new WeaveError("LAUNCH_OPTIONS", "the router was started without proper options", {
      remedy: "start it with 'weave launch'",
      cause,
    });
  }
}
