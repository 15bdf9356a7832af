import { hostname } from "node:os";
import { dirname } from "node:path";
import { ipallocInit } from "../node-peers.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the pod of a node is told by its environment (kubernetes §3), with the original's defaults. */
export interface AgentSettings {
  /** As the API server has it. */
  readonly nodeName: string;
  /** Path of a kubeconfig file; missing in a pod, which has an account. */
  readonly kubeconfig: string | undefined;
  /** Peers to connect to; missing: all nodes. */
  readonly peers: readonly string[] | undefined;
  /** How a ring is made; missing: by a majority of all nodes. */
  readonly ipallocInit: string | undefined;
  readonly range: string;
  /** Whether network policies are enforced. */
  readonly policy: boolean;
  /** `ip:port` of their measurements; empty for none. */
  readonly policyMetricsAddress: string;
  /** What the bridge's address is to be; missing: one is allocated. */
  readonly exposeAddress: string | undefined;
  /** Where the host's own root is mounted. */
  readonly hostRoot: string;
  /** Folder of the CNI plugins; missing: the one that runtimes look into. */
  readonly pluginFolder: string | undefined;
  readonly hairpin: boolean;
  readonly stateDir: string;
  /** Where a router of Weave Net 2.x keeps what it remembers. */
  readonly formerDatabase: string;
  /** Whether another container has run `weave kube init`. */
  readonly isInitialised: boolean;
}

const defaultPrefix = "/weavedb/weave-net";

/** Reads the environment; empty variables count as unset. */
export function agentSettings(environment: Environment): AgentSettings {
  const { IPALLOC_RANGE, DB_PREFIX, HOST_ROOT, HOSTNAME, KUBE_PEERS } = environment;
  const prefix = DB_PREFIX || defaultPrefix;
  return {
    nodeName: HOSTNAME || hostname(),
    kubeconfig: environment.KUBECONFIG || undefined,
    peers: KUBE_PEERS ? blankSeparated(KUBE_PEERS) : undefined,
    ipallocInit: environment.IPALLOC_INIT || undefined,
    range: IPALLOC_RANGE || "10.32.0.0/12",
    policy: environment.EXPECT_NPC !== "0",
    policyMetricsAddress: environment.WEAVE_NPC_METRICS_ADDR ?? "0.0.0.0:6781",
    exposeAddress: environment.WEAVE_EXPOSE_IP || undefined,
    hostRoot: HOST_ROOT || "/host",
    pluginFolder: environment.WEAVE_CNI_PLUGIN_DIR || undefined,
    hairpin: environment.HAIRPIN_MODE !== "false",
    stateDir: environment.WEAVE_STATE_DIR || dirname(prefix),
    formerDatabase: `${prefix}data.db`,
    isInitialised: environment.INIT_CONTAINER === "true",
  };
}

/** What only the API server and this host can tell. */
export interface AgentFacts {
  /** Addresses of the other nodes, or those that were given. */
  readonly peers: readonly string[];
  /** Nodes there are, this one among them. */
  readonly nodes: number;
  /** Canonical; the one that the stored state belongs to. */
  readonly peerName: string;
}

/**
 * What `weave launch` is told for the router of a node. WEAVE_PASSWORD, WEAVE_MTU, WEAVE_NO_FASTDP
 * and WEAVE_HTTP_ADDR are read by `launch` itself.
 *
 * @param extra options of the pod's own arguments, which come last and so have the last word
 */
export function agentLaunchWords(
  settings: AgentSettings,
  environment: Environment,
  { peers, nodes, peerName }: AgentFacts,
  extra: readonly string[],
): string[] {
  const { CONN_LIMIT, WEAVE_METRICS_ADDR, WEAVE_STATUS_ADDR, EXTRA_ARGS } = environment;
  const { WEAVE_DEBUG, WEAVE_PASSWORD_FILE, NO_MASQ_LOCAL } = environment;
  return [
    ...["--foreground", "--docker-api=", "--no-dns", "--proxy=false", "--plugin=false"],
    ...[`--name=${peerName}`, `--nickname=${settings.nodeName}`],
    `--ipalloc-range=${settings.range}`,
    `--ipalloc-init=${settings.ipallocInit ?? ipallocInit({ count: nodes })}`,
    `--conn-limit=${CONN_LIMIT || "200"}`,
    `--metrics-addr=${WEAVE_METRICS_ADDR || "0.0.0.0:6782"}`,
    `--status-addr=${WEAVE_STATUS_ADDR || ""}`,
    ...(NO_MASQ_LOCAL === "0" ? [] : ["--no-masq-local"]),
    ...(WEAVE_PASSWORD_FILE ? [`--password-file=${WEAVE_PASSWORD_FILE}`] : []),
    ...(WEAVE_DEBUG ? ["--log-level=debug"] : []),
    ...blankSeparated(EXTRA_ARGS ?? ""),
    ...extra,
    ...peers,
  ];
}

function blankSeparated(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
