import type { BundleParts } from "../../lib/incident/make-bundle.ts";

export const one = "8a:00:00:00:00:01";
export const two = "8a:00:00:00:00:02";
export const three = "8a:00:00:00:00:03";

const connection = (Name: string, Outbound: boolean, Established = true) => ({
  ...{ Name, Outbound, Established, Address: `192.168.7.${Name.at(-1)}:6783` },
});

/** What the first of three hosts knows after its link to the third was cut and came back. */
export function exampleParts(change: Partial<BundleParts> = {}): BundleParts {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 2, 15, 0, seconds)).toISOString();
  return {
    madeAt: at(59),
    madeBy: "3.0.0",
    platform: {
      ...{ kernel: "Linux 6.1.0", machine: "x64", runtime: "Bun 1.4.5", memoryBytes: 2 ** 31 },
      ...{ firewall: ["nftables"], datapath: "ebpf" },
      devices: [{ name: "eth0", kind: "", mtu: 1500, up: true }],
    },
    report: {
      Version: "3.0.0",
      Router: {
        ...{ Name: one, NickName: "ada", PeerDiscovery: true },
        Peers: [
          {
            ...{ Name: one, NickName: "ada" },
            Connections: [connection(two, true), connection(three, true)],
          },
          {
            ...{ Name: two, NickName: "bob" },
            Connections: [connection(one, false), connection(three, true)],
          },
          {
            ...{ Name: three, NickName: "eve" },
            Connections: [connection(one, false), connection(two, false)],
          },
        ],
      },
      IPAM: {
        Range: "10.32.0.0/16",
        Entries: [
          { Token: "10.32.0.0", Size: 0x5555, Peer: one, Version: 2 },
          { Token: "10.32.85.85", Size: 0x5555, Peer: two, Version: 1 },
          { Token: "10.32.170.170", Size: 0x5556, Peer: three, Version: 1 },
        ],
      },
      DNS: {
        Domain: "weave.local.",
        Entries: [
          {
            ...{ Hostname: "web.weave.local.", Origin: two, ContainerID: "c2", Tombstone: 0 },
            Address: "10.32.85.86",
          },
        ],
      },
    },
    events: [
      {
        ...{ id: 1, at: at(0), kind: "router.started" },
        details: { version: "3.0.0", name: one },
      },
      {
        ...{ id: 2, at: at(10), kind: "link.lost" },
        details: {
          ...{ peer: three, nickname: "eve", code: "STREAM_FAILED" },
          reason: "read tcp 192.168.7.1:40000->192.168.7.3:6783: connection reset",
        },
      },
      {
        ...{ id: 3, at: at(20), kind: "link.established" },
        details: { peer: three, nickname: "eve" },
      },
    ],
    history: {
      since: at(0),
      gossip: [
        {
          ...{ sequence: 1, at: at(1), direction: "in", neighbour: two, kind: "gossip" },
          ...{ channel: "topology", origin: two, bytes: 120 },
        },
      ],
      topology: [
        { sequence: 2, at: at(10), change: "parted", peers: [one, three] },
        { sequence: 3, at: at(20), change: "linked", peers: [one, three] },
      ],
      owners: [],
    },
    findings: [],
    policies: [{ kind: "NetworkPolicy", namespace: "shop", name: "deny-all" }],
    metrics: 'weave_connections{state="established",type="fastdp",encryption=""} 2\n',
    unexamined: [],
    ...change,
  };
}
