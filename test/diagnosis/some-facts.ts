import { parseCidr, parseIp } from "../../lib/base/ip.ts";
import type {
  ClusterFacts,
  ConnectionFact,
  ContainerFacts,
  DeviceFact,
  Facts,
  HostFacts,
} from "../../lib/diagnosis/facts.ts";
import { parseIptablesSave } from "../../lib/diagnosis/firewall/iptables-save.ts";

/** A host in a cluster of two with one container, all of it in order; tests change parts. */

export const self = "00:00:00:00:00:01";
export const other = "00:00:00:00:00:02";
export const remoteIp = "192.168.77.2";

export const eth0: DeviceFact = {
  ...{ index: 2, name: "eth0", kind: "", mac: "02:00:00:00:00:02" },
  ...{ mtu: 1500, up: true, master: undefined },
};

export const bridge: DeviceFact = {
  ...{ index: 3, name: "weave", kind: "bridge", mac: self },
  ...{ mtu: 1376, up: true, master: undefined },
};

export const link: ConnectionFact = {
  ...{ address: `${remoteIp}:6783`, state: "established", info: "fastdp" },
  peer: { name: other, nickname: "host2" },
  attributes: { name: "fastdp", mtu: 1376 },
  ...{ reason: "fastdp: the peer acknowledges it", degraded: false, sinceMs: 0 },
};

const linkTo = (name: string) => ({
  ...{ name, nickname: "", address: `${remoteIp}:6783`, established: true },
});

export const container: ContainerFacts = {
  ident: "netns:blue",
  namespacePath: "/run/netns/blue",
  port: { name: "vethwl1", up: true, mtu: 1376 },
  guest: {
    ...{ index: 5, name: "ethwe", kind: "veth", mac: "0a:00:00:00:00:05" },
    ...{ mtu: 1376, up: true, master: undefined },
  },
  held: [parseCidr("10.32.0.1/12")],
  addresses: [parseCidr("10.32.0.1/12")],
  routes: [
    { destination: parseCidr("10.32.0.0/12"), gateway: undefined, interfaceIndex: 5 },
    { destination: parseCidr("224.0.0.0/4"), gateway: undefined, interfaceIndex: 5 },
  ],
  neighbours: [
    { address: parseIp("10.44.0.1"), mac: "0a:00:00:00:00:44", state: "reachable", ageMs: 0 },
  ],
};

export const cluster: ClusterFacts = {
  mesh: {
    ...{ name: self, nickname: "host1", encryption: false },
    peers: [
      { name: self, nickname: "host1", connections: [linkTo(other)] },
      { name: other, nickname: "host2", connections: [linkTo(self)] },
    ],
    unicastRoutes: [
      { dest: self, via: self },
      { dest: other, via: other },
    ],
    connections: [link],
    targets: [],
    refusals: [],
  },
  ipam: {
    conflicts: [],
    owners: [
      { peer: self, nickname: "host1", addresses: 524_288, isKnown: true },
      { peer: other, nickname: "host2", addresses: 524_288, isKnown: true },
    ],
    election: undefined,
    mayAllocate: true,
    storeError: undefined,
  },
  paths: [{ remote: remoteIp, device: "eth0", mtu: 1500, gateway: undefined }],
  ...{ spareName: "02:00:00:00:00:77", nowMs: 90_000 },
};

export const host: HostFacts = {
  devices: [eth0, bridge],
  routes: [{ destination: parseCidr("192.168.77.0/24"), gateway: undefined, interfaceIndex: 2 }],
  sockets: [],
  halfOpen: [],
  firewall: { tables: [], filtersBridges: true, iptables: "nf_tables" },
  datapath: { backend: "ebpf", refusals: new Map() },
  hasMachineId: true,
  unexamined: [],
};

export const facts: Facts = {
  setup: {
    ...{ isRunning: true, hasState: true, isSilent: false, port: 6783, wantsFastdp: true },
    ...{ bridge: "weave", datapath: "datapath", range: parseCidr("10.32.0.0/12") },
  },
  host,
  cluster,
  containers: [container],
  seenMacs: new Set(["0a:00:00:00:00:05", "0a:00:00:00:00:44"]),
};

export function withHost(change: Partial<HostFacts>): Facts {
  return { ...facts, host: { ...host, ...change } };
}

export function withMesh(change: Partial<ClusterFacts["mesh"]>): Facts {
  return { ...facts, cluster: { ...cluster, mesh: { ...cluster.mesh, ...change } } };
}

export function withLink(change: Partial<ConnectionFact>): Facts {
  return withMesh({ connections: [{ ...link, ...change }] });
}

export function withIpam(change: Partial<NonNullable<ClusterFacts["ipam"]>>): Facts {
  return { ...facts, cluster: { ...cluster, ipam: { ...cluster.ipam!, ...change } } };
}

export function withContainer(change: Partial<ContainerFacts>): Facts {
  return { ...facts, containers: [{ ...container, ...change }] };
}

/** The same two hosts, reaching each other by IPv6, so that frames take sleeve. */
export function byIpv6(firewall = host.firewall): Facts {
  const [remote, mtu] = ["fd77::2", 1376];
  const sleeve: ConnectionFact = {
    ...link,
    ...{ address: `[${remote}]:6783`, attributes: { name: "sleeve", mtu }, degraded: true },
    reason: "sleeve: the peer acknowledges it; fastdp failed: no IPv4 underlay",
  };
  const paths = [{ remote, device: "eth0", mtu: 1500, gateway: undefined }];
  const mesh = { ...cluster.mesh, connections: [sleeve] };
  return { ...facts, host: { ...host, firewall }, cluster: { ...cluster, mesh, paths } };
}

/** Rules of the filter table, as iptables-save prints them. */
export function filtered(...rules: readonly string[]): HostFacts["firewall"] {
  return filteredBy("iptables", ...rules);
}

export function filteredBy(
  tool: "iptables" | "ip6tables",
  ...rules: readonly string[]
): HostFacts["firewall"] {
  const lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"];
  const text = [...lines, ...rules, "COMMIT"].join("\n");
  return { ...host.firewall, tables: parseIptablesSave(text, tool) };
}
