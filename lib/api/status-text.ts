import type { DnsReport } from "./dns-report.ts";
import type { DockerReport, PluginReport, ProxyReport } from "./docker-report.ts";
import type { EventsReport, TracingReport } from "./events-report.ts";
import type { IpamReport } from "./ipam-report.ts";
import type { KubernetesReport } from "./kubernetes-report.ts";
import type { PolicyReport } from "./policy-report.ts";
import type { Report } from "./report.ts";
import type { ConnectionReport, PeerReport, RouterReport } from "./router-report.ts";

/**
 * The text of `weave status` (cli §10), byte for byte as scripts parse it: a section for each part of
 * the router, a line for each thing about it.
 *
 *           Service: ipam
 *            Status: ready
 */
export function statusText(report: Report): string {
  const sections = [versionSection(report), routerSection(report.Router)];
  if (report.IPAM !== undefined) sections.push(ipamSection(report.IPAM));
  if (report.DNS !== undefined) sections.push(dnsSection(report.DNS));
  if (report.Kubernetes !== undefined) sections.push(kubernetesSection(report.Kubernetes));
  if (report.Policy !== undefined) sections.push(policySection(report.Policy));
  if (report.Docker !== undefined) sections.push(dockerSection(report.Docker));
  if (report.Proxy !== undefined) sections.push(proxySection(report.Proxy));
  if (report.Plugin !== undefined) sections.push(pluginSection(report.Plugin));
  if (report.Events !== undefined) sections.push(eventsSection(report.Events));
  if (report.Tracing !== undefined) sections.push(tracingSection(report.Tracing));
  return sections.join("\n");
}

function tracingSection({ Endpoint, Dropped, Trouble }: TracingReport): string {
  return lines([
    ["Service", "tracing"],
    ["Endpoint", Endpoint],
    ...(Trouble === undefined ? [] : [["Trouble", Trouble] as const]),
    ...(Dropped === 0 ? [] : [["Dropped", `${Dropped} spans`] as const]),
  ]);
}

function eventsSection({ Outlets }: EventsReport): string {
  return lines([
    ["Service", "events"],
    ...Outlets.flatMap(({ Name, To, Lost, Waiting, Trouble }): [string, string | number][] => [
      [Name === "file" ? "File" : "Syslog", To],
      ...(Trouble === undefined ? [] : [["Trouble", Trouble] as [string, string]]),
      ...(Waiting === 0 ? [] : [["Waiting", Waiting] as [string, number]]),
      ...(Lost === 0 ? [] : [["Lost", Lost] as [string, number]]),
    ]),
  ]);
}

/** Keys end at column 15, as they always have. */
function lines(pairs: ReadonlyArray<readonly [string, string | number]>): string {
  return pairs.map(([key, value]) => `${key.padStart(15)}: ${value}\n`).join("");
}

function versionSection(report: Report): string {
  return lines([["Version", `${report.Version} (version check update disabled)`]]);
}

function routerSection(router: RouterReport): string {
  const { ProtocolMinVersion: min, ProtocolMaxVersion: max } = router;
  return lines([
    ["Service", "router"],
    ["Protocol", `${router.Protocol} ${min === max ? max : `${min}..${max}`}`],
    ["Name", `${router.Name}(${router.NickName})`],
    ["Encryption", enabled(router.Encryption)],
    ["PeerDiscovery", enabled(router.PeerDiscovery)],
    ["Targets", router.Targets?.length ?? 0],
    ["Connections", connectionCounts(router.Connections ?? [])],
    ["Peers", peerCounts(router.Peers ?? [])],
    ["TrustedSubnets", orNone(router.TrustedSubnets)],
    ...refused(router),
    ...missingOffloads(router),
    ...missingDatapaths(router),
    ...otherFirewalls(router),
  ]);
}

/** Lines that only appear when there is something for an operator to look at. */
function refused({ Refusals = [] }: RouterReport): [string, string][] {
  return Refusals.flatMap(({ Channel, Peer, NickName, Count, Message, Remedy, Last }) => {
    const what = `${Count} of ${Peer}(${NickName}) on ${Channel}, last at ${Last}: ${Message}`;
    return [["Refused", what] as [string, string], ...remedyLine(Remedy)];
  });
}

/** Each costs throughput, nothing else. */
function missingOffloads({ Offloads = [] }: RouterReport): [string, string][] {
  return Offloads.filter(({ Used }) => !Used).map(({ Name, Reason }) => [
    "Offload",
    `${Name} is not used: ${Reason}`,
  ]);
}

/** Only where the kernel has none; what follows from the operator's own choice is in the report. */
function missingDatapaths({ Datapath }: RouterReport): [string, string][] {
  if (Datapath === undefined || Datapath.Backend !== "") return [];
  return (Datapath.Refused ?? [])
    .filter(({ Name }) => Name !== "fastdp")
    .map(({ Name, Reason }) => ["FastDatapath", `${Name} is not used: ${Reason}`]);
}

/** A table of our own in nftables is what every host should have, and no more. */
function otherFirewalls({ Firewall }: RouterReport): [string, string][] {
  if (Firewall === undefined || (Firewall.length === 1 && Firewall[0] === "nftables")) return [];
  return [["Firewall", orNone(Firewall)]];
}

function remedyLine(remedy: string): [string, string][] {
  return remedy === "" ? [] : [["Remedy", remedy]];
}

function enabled(value: boolean): string {
  return value ? "enabled" : "disabled";
}

function orNone(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}

const countedStates = ["established", "pending", "retrying", "failed", "connecting"];

function connectionCounts(connections: readonly ConnectionReport[]): string {
  const counts = countedStates
    .map((state) => ({ state, n: connections.filter((each) => each.State === state).length }))
    .filter(({ n }) => n > 0)
    .map(({ state, n }) => `${n} ${state}`);
  return `${connections.length}${counts.length === 0 ? "" : ` (${counts.join(", ")})`}`;
}

function peerCounts(peers: readonly PeerReport[]): string {
  const links = peers.flatMap((peer) => peer.Connections ?? []);
  const established = links.filter((link) => link.Established).length;
  const pending = links.length - established;
  const counts = [
    ...(established > 0 ? [`${established} established`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  return `${peers.length}${counts.length === 0 ? "" : ` (with ${counts.join(", ")} connections)`}`;
}

function ipamSection(ipam: IpamReport): string {
  return lines([
    ["Service", "ipam"],
    ["Status", ipamState(ipam)],
    ["Range", ipam.Range],
    ["DefaultSubnet", ipam.DefaultSubnet],
    ...troubles(ipam),
  ]);
}

/** Lines that only appear when there is something for an operator to do. */
function troubles(ipam: IpamReport): [string, string][] {
  const conflicts = (ipam.Conflicts ?? []).flatMap(
    ({ Peer, Nickname, Message, Remedy }): [string, string][] => [
      ["Conflict", `with ${Peer}(${Nickname}): ${Message}`],
      ...remedyLine(Remedy),
    ],
  );
  return [...conflicts, ...leaseTroubles(ipam.Reclaim)];
}

/** A peer that holds its lease renews it long before half of it is over. */
function leaseTroubles(reclaim: IpamReport["Reclaim"]): [string, string][] {
  if (reclaim === undefined) return [];
  const { AfterSeconds, LeaseLeftSeconds, MayAllocate } = reclaim;
  const remedy: [string, string] = [
    "Remedy",
    "bring them back; use 'rmpeer' on those that are dead",
  ];
  if (!MayAllocate) {
    return [["Suspended", "most peers have not been reached for too long, or not yet"], remedy];
  }
  if (LeaseLeftSeconds === null || LeaseLeftSeconds > AfterSeconds / 6) return [];
  const left = `${Math.floor(LeaseLeftSeconds / 3600)}h${Math.floor((LeaseLeftSeconds % 3600) / 60)}m`;
  return [["Lease", `most peers cannot be reached: no new addresses in ${left}`], remedy];
}

/** The first condition that holds (ipam §16). */
function ipamState(ipam: IpamReport): string {
  if (ipam.Entries !== null) {
    if (!ipam.Entries.some((entry) => entry.IsKnownPeer)) {
      return "all IP ranges owned by unreachable peers - use 'rmpeer' if they are dead";
    }
    return (ipam.PendingAllocates ?? []).length > 0
      ? "waiting for IP(s) to become available"
      : "ready";
  }
  if (ipam.Paxos === null) return "idle";
  const { Elector, Quorum, KnownNodes } = ipam.Paxos;
  return Elector ? `awaiting consensus (quorum: ${Quorum}, known: ${KnownNodes})` : "priming";
}

function dnsSection(dns: DnsReport): string {
  return lines([
    ["Service", "dns"],
    ["Domain", dns.Domain],
    ["Upstream", orNone(dns.Upstream ?? [])],
    ["TTL", dns.TTL],
    ["Entries", (dns.Entries ?? []).filter((entry) => entry.Tombstone === 0).length],
  ]);
}

/** Lines on what is followed only appear where something keeps it from being followed. */
function kubernetesSection(kubernetes: KubernetesReport): string {
  const { Node, Policy, Awaited, Watches, Tasks, Reclaim } = kubernetes;
  return lines([
    ["Service", "kubernetes"],
    ["Node", Node],
    ["Status", Awaited === null ? "ready" : "not ready"],
    ...(Awaited ?? []).map((sentence) => ["Awaited", sentence] as const),
    ...Tasks.filter(({ Done }) => !Done).flatMap(({ Remedy }) => remedyLine(Remedy)),
    ["NetworkPolicy", Policy ? "enforced" : "not enforced"],
    ...Watches.filter(({ Phase }) => Phase === "resting" || Phase === "listing").map(
      ({ Resource, Phase, LastError }) =>
        ["Watch", `${Resource} ${Phase}${LastError === "" ? "" : `: ${LastError}`}`] as const,
    ),
    ...(Reclaim.Standing === "member" ? [] : [["Standing", Reclaim.Standing] as const]),
    ...(Reclaim.Gone === 0 ? [] : [["PeersGone", Reclaim.Gone] as const]),
    ...(Reclaim.Trouble === "" ? [] : [["Trouble", Reclaim.Trouble] as const]),
  ]);
}

/** Lines on what is not as it should be only appear then. */
function policySection(policy: PolicyReport): string {
  const { Status, Enforcer, Source, Trouble, Standing } = policy;
  return lines([
    ["Service", "policy"],
    ["Status", Status === "enforcing" ? `enforcing by ${Enforcer}` : Status],
    ...(policy.Awaited ?? []).map((kind) => ["Awaited", kind] as const),
    ...(Trouble === undefined ? [] : [["Trouble", Trouble.Message] as const]),
    ...remedyLine(Trouble?.Remedy ?? ""),
    ["Source", Source],
    ["Policies", policy.Policies + policy.ClusterPolicies],
    ["Pods", `${policy.Pods} (${policy.LocalPods} here)`],
    ...(policy.Held === 0 ? [] : [["Held", `${policy.Held} addresses`] as const]),
    ...(Standing === undefined ? [] : [["Cut", `${Standing.Cut} connections`] as const]),
    ...(Standing?.Trouble ? [["Standing", Standing.Trouble] as const] : []),
    ...remedyLine(Standing?.Remedy ?? ""),
    ...(policy.Faults ?? []).map((sentence) => ["Fault", sentence] as const),
    ...(policy.NotEnforcing === undefined
      ? []
      : [["NotEnforcing", policy.NotEnforcing.join(", ")] as const]),
  ]);
}

/** What went wrong is shown while it does, and with who has it going again in the report. */
function dockerSection(docker: DockerReport): string {
  const { Endpoint, APIVersion, Since, LastError, Trouble, Attached } = docker;
  return lines([
    ["Service", "docker"],
    ["Endpoint", Endpoint],
    ...(Since === ""
      ? [["Status", `not connected: ${LastError || "asking"}`] as const]
      : [["APIVersion", APIVersion] as const, ["Status", `connected since ${Since}`] as const]),
    ...remedyLine(Trouble?.Remedy ?? ""),
    ["Attached", Attached],
    ...attachTroubles(docker),
  ]);
}

/** Lines that only appear when there is something for an operator to do. */
function attachTroubles({ Failures = [], Waiting = [] }: DockerReport): [string, string][] {
  const failures = Failures.flatMap(({ Name, At, Reason, Remedy }): [string, string][] => [
    ["NotAttached", `${Name}, last at ${At}: ${Reason}`],
    ...remedyLine(Remedy),
  ]);
  const failed = new Set(Failures.map(({ ContainerID }) => ContainerID));
  const waiting = Waiting.filter(({ ContainerID }) => !failed.has(ContainerID)).flatMap(
    ({ Name, Seconds, Reason, Remedy }): [string, string][] => [
      ["Waiting", `${Name} for ${Seconds} s: ${Reason}`],
      ...remedyLine(Remedy),
    ],
  );
  return [...failures, ...waiting];
}

function proxySection({ Addresses, Problems = [] }: ProxyReport): string {
  return lines([
    ["Service", "proxy"],
    ...(Addresses ?? []).map((address) => ["Address", address] as const),
    ...Problems.map((problem) => ["Problem", problem] as const),
  ]);
}

function pluginSection({ Config, DriverName, Problems = [] }: PluginReport): string {
  return lines([
    ["Service", Config.EnableV2 ? "plugin (v2)" : "plugin (legacy)"],
    ...(Config.EnableV2 ? [] : [["DriverName", DriverName] as const]),
    ...Problems.map((problem) => ["Problem", problem] as const),
  ]);
}
