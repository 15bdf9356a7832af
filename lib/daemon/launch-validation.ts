import { errorText, WeaveError } from "../base/errors.ts";
import {
  cidrsOverlap,
  formatCidr,
  formatIpv4Cidr,
  networkOf,
  parseCidr,
  parseIp,
} from "../base/ip.ts";
import { formatPeerName, parsePeerName } from "../base/peer-name.ts";
import { parseDomain } from "../dns/domain.ts";
import { parseInitMode } from "../ipam/init-mode.ts";
import { parseSubnet } from "../ipam/range.ts";
import { parseDirectPeer } from "../mesh/direct-peers.ts";
import { parseDurationMs } from "./duration.ts";
import { eventOptions } from "./event-validation.ts";
import type { LaunchOptions } from "./launch-options.ts";
import {
  choice,
  conflict,
  integer,
  type LaunchWords,
  linkName,
  listenAddress,
  parsed,
} from "./launch-words.ts";
import { proxyOptions } from "./proxy-validation.ts";
import { type TracingVariables, tracingOptions } from "./tracing/tracing-options.ts";

/** What the machine adds. */
export interface LaunchFacts {
  readonly hostname: string;
  /** Folder of certificates for the Docker API, by its own variables; `.docker` without it. */
  readonly certificates?: string;
  /** Of the environment. */
  readonly variables?: TracingVariables;
}

const defaultRange = "10.32.0.0/12";
/**
 * Two weeks. A peer must renew its lease within a third of it, and one that cannot reach a majority
 * for that long gives out no more addresses: hosts that are off over some days, even most of them,
 * must not come to that, and addresses that are lost for two weeks are the smaller harm.
 */
const defaultReclaimAfter = "336h";
/** Leases are a third of it, and renewals a quarter of those. */
const reclaimAfterMinMs = 10 * 60_000;
const octetsMax = 65_535;
const policyModes = ["auto", "on", "off"] as const;
const policyMulticast = ["allow", "deny", "egress"] as const;
const policyStanding = ["keep", "cut"] as const;
const policyFilters = ["auto", "nftables", "iptables"] as const;
const countMax = 1_000_000;

/**
 * Words → options, with the original's defaults and texts (cli §5.2–5.3).
 *
 * @throws WeaveError `LAUNCH_FLAG` for a value that its flag does not take, `LAUNCH_CONFLICT` for
 *   values that do not go together
 */
export function launchOptions(words: LaunchWords, facts: LaunchFacts): LaunchOptions {
  const cluster = clusterOptions(words, facts);
  const peers = words.peers.map((peer) => checkedPeer(peer, cluster.port));
  const resume = words.enabled("resume");
  if (resume && peers.length > 0) {
    throw conflict("You must not specify an initial peer list in conjunction with --resume", {
      remedy: "leave out the peers, or leave out --resume",
    });
  }
  return {
    peers,
    resume,
    ...cluster,
    ipalloc: ipallocOptions(words),
    importDatabase: words.text("import-db") || undefined,
    dns: dnsOptions(words),
    ...networkOptions(words),
    plugin: pluginOptions(words),
    policy: {
      mode: choice(words, "policy", policyModes),
      multicast: choice(words, "policy-multicast", policyMulticast),
      filter: choice(words, "policy-filter", policyFilters),
      standing: choice(words, "policy-standing", policyStanding),
    },
    events: eventOptions(words),
    tracing: tracingOptions(words, facts.variables ?? {}),
    ...operationOptions(words),
    ...proxyOptions(words, facts.certificates ?? ".docker"),
  };
}

type Part<K extends keyof LaunchOptions> = Pick<LaunchOptions, K>;

function clusterOptions(
  words: LaunchWords,
  facts: LaunchFacts,
): Part<
  | "host"
  | "port"
  | "minProtocolVersion"
  | "name"
  | "nickname"
  | "password"
  | "trustedSubnets"
  | "discovery"
  | "connectionLimit"
  | "extensions"
> {
  const host = words.text("host") ?? "";
  if (host !== "") parsed("host", host, parseIp);
  const version = integer(words, "min-protocol-version", 1, 0, countMax);
  if (version !== 1 && version !== 2) {
    throw conflict("--min-protocol-version must be in range [1,2]");
  }
  const name = words.text("name");
  const password = words.text("password");
  return {
    host,
    // The port above it belongs to the fast datapath.
    port: integer(words, "port", 6783, 1, 65_534),
    minProtocolVersion: version,
    name: name ? parsed("name", name, (text) => formatPeerName(parsePeerName(text))) : undefined,
    nickname: words.text("nickname") || facts.hostname,
    password: password || undefined,
    trustedSubnets: (words.text("trusted-subnets") ?? "")
      .split(",")
      .map((subnet) => subnet.trim())
      .filter((subnet) => subnet !== "")
      .map((subnet) =>
        parsed("trusted-subnets", subnet, (text) => formatCidr(networkOf(parseCidr(text)))),
      ),
    discovery: !words.enabled("no-discovery"),
    connectionLimit: integer(words, "conn-limit", 200, 0, countMax),
    extensions: !words.enabled("no-extensions"),
  };
}

function ipallocOptions(words: LaunchWords): LaunchOptions["ipalloc"] {
  const given = words.text("ipalloc-range");
  const init = words.text("ipalloc-init") ?? "";
  const subnet = words.text("ipalloc-default-subnet") ?? "";
  if (given === "") {
    if (init !== "") throw conflict("--ipalloc-init specified without --ipalloc-range.");
    if (subnet !== "") {
      throw conflict("--ipalloc-default-subnet specified without --ipalloc-range.");
    }
    if (words.enabled("no-masq-local")) {
      throw conflict("--no-masq-local specified without --ipalloc-range.");
    }
    return undefined;
  }
  const range = parsed("ipalloc-range", given ?? defaultRange, subnetOf);
  const defaultSubnet = subnet === "" ? range : parsed("ipalloc-default-subnet", subnet, subnetOf);
  if (!cidrsOverlap(parseCidr(range), parseCidr(defaultSubnet))) {
    throw conflict(
      `IP address allocation default subnet ${defaultSubnet} does not overlap with allocation range ${range}`,
    );
  }
  try {
    parseInitMode(init);
  } catch (cause) {
    throw conflict(`Unable to parse --ipalloc-init: ${errorText(cause)}`, {
      remedy: "write consensus, consensus=<n>, seed=<name>,... or observer",
    });
  }
  return {
    range,
    rangeGiven: given !== undefined,
    defaultSubnet,
    init,
    reuse: reuseOrder(words),
    reclaimAfterMs: reclaimAfterMs(words),
  };
}

function reuseOrder(words: LaunchWords): "lowest-first" | "rested" {
  const order = words.text("ipalloc-reuse") || "lowest-first";
  if (order === "lowest-first" || order === "rested") return order;
  throw new WeaveError("LAUNCH_FLAG", `invalid value "${order}" for flag --ipalloc-reuse`, {
    remedy: "write lowest-first or rested",
  });
}

/** 0 for never. */
function reclaimAfterMs(words: LaunchWords): number {
  const text = words.text("reclaim-after") || defaultReclaimAfter;
  const value = text === "never" ? 0 : parsed("reclaim-after", text, parseDurationMs);
  if (value === 0 || value >= reclaimAfterMinMs) return value;
  throw new WeaveError("LAUNCH_FLAG", `invalid value "${text}" for flag --reclaim-after`, {
    remedy: "give at least 10m, or never",
  });
}

const subnetOf = (text: string): string => formatIpv4Cidr(parseSubnet(text));

function dnsOptions(words: LaunchWords): LaunchOptions["dns"] {
  if (words.enabled("no-dns")) return undefined;
  const domain = words.text("dns-domain") || "weave.local.";
  return {
    domain: parsed("dns-domain", domain, (text) => parseDomain(text).name),
    listenAddress: listenAddress(words, "dns-listen-address", "") || undefined,
    ttlSeconds: integer(words, "dns-ttl", 1, 0, 2 ** 31 - 1),
    fallbackTimeoutMs: parsed(
      "dns-fallback-timeout",
      words.text("dns-fallback-timeout") || "5s",
      parseDurationMs,
    ),
    resolvConf: words.text("resolv-conf") || "/etc/resolv.conf",
  };
}

function networkOptions(
  words: LaunchWords,
): Part<
  | "mtu"
  | "fastdp"
  | "bridgedFastdp"
  | "weaveBridge"
  | "dockerBridge"
  | "datapath"
  | "masqueradeLocal"
  | "captureBufferMegabytes"
> {
  return {
    mtu: words.text("mtu") === "auto" ? "auto" : mtuOption(words),
    fastdp: !words.enabled("no-fastdp"),
    bridgedFastdp: !words.enabled("no-bridged-fastdp"),
    weaveBridge: linkName(words, "weave-bridge", "weave"),
    dockerBridge: linkName(words, "docker-bridge", "docker0"),
    datapath: linkName(words, "datapath", "datapath"),
    masqueradeLocal: !words.enabled("no-masq-local"),
    captureBufferMegabytes: integer(words, "bufsz", 8, 1, 1024),
  };
}

/** No device carries less (RFC 791 §3.2). */
const mtuMin = 68;

function mtuOption(words: LaunchWords): number {
  const mtu = integer(words, "mtu", 0, 0, octetsMax);
  if (mtu === 0 || mtu >= mtuMin) return mtu;
  throw new WeaveError(
    "LAUNCH_FLAG",
    `invalid value "${mtu}" for flag --mtu: less than ${mtuMin}`,
    {
      remedy: "leave it out for what fits every overlay",
    },
  );
}

function pluginOptions(words: LaunchWords): LaunchOptions["plugin"] {
  const managed = words.enabled("plugin-v2");
  const wanted = words.text("plugin");
  if (managed && wanted === "true") {
    throw conflict("a router is the legacy plugin or the managed one, not both", {
      remedy: "leave out --plugin or --plugin-v2",
    });
  }
  if (wanted === "false" && !managed) return undefined;
  const socket = socketPath(words, "plugin-socket", "/run/docker/plugins/weave.sock");
  const meshSocket = socketPath(words, "plugin-mesh-socket", "/run/docker/plugins/weavemesh.sock");
  if (socket === "" && meshSocket === "") return undefined;
  if (socket === meshSocket) {
    throw conflict("--plugin-socket and --plugin-mesh-socket are the same", {
      remedy: "give each a path of its own, or leave one empty",
    });
  }
  return {
    asked: managed || wanted === "true",
    socket,
    meshSocket,
    managed,
    multicast: words.enabled("plugin-v2-multicast"),
  };
}

/** An absolute path, or empty. The part before `.sock` is what Docker calls the driver. */
function socketPath(words: LaunchWords, flag: string, otherwise: string): string {
  const path = words.text(flag) ?? otherwise;
  if (path === "" || /^\/(?:.*\/)?[\w.-]+\.sock$/.test(path)) return path;
  throw new WeaveError("LAUNCH_FLAG", `invalid value "${path}" for flag --${flag}`, {
    remedy: "write an absolute path that ends in .sock, or nothing",
  });
}

function operationOptions(
  words: LaunchWords,
): Part<
  | "httpAddress"
  | "statusAddress"
  | "metricsAddress"
  | "dockerApi"
  | "logLevel"
  | "packetDebug"
  | "restart"
> {
  const level = words.text("log-level") || "info";
  if (level !== "debug" && level !== "info" && level !== "warning" && level !== "error") {
    throw new WeaveError("LAUNCH_FLAG", `invalid value "${level}" for flag --log-level`);
  }
  return {
    httpAddress: listenAddress(words, "http-addr", "127.0.0.1:6784"),
    statusAddress: listenAddress(words, "status-addr", "127.0.0.1:6782"),
    metricsAddress: listenAddress(words, "metrics-addr", ""),
    dockerApi: words.text("docker-api") ?? "unix:///var/run/docker.sock",
    logLevel: level,
    packetDebug: words.enabled("pkt-debug"),
    restart: !words.enabled("no-restart"),
  };
}

function checkedPeer(peer: string, port: number): string {
  // Releases before 1.0 took the router's own subnet first.
  if (peer.includes("/")) {
    throw new WeaveError("LAUNCH_PEER", `"${peer}" is a subnet, not a peer`, {
      remedy: "give it to --ipalloc-range",
    });
  }
  return parseDirectPeer(peer, port).text;
}
