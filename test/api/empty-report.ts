import type { Report } from "../../lib/api/report.ts";

/** What the router of `name` reports that has nothing to show, with all services off. */
export function emptyReport(name: string): Report {
  return {
    Ready: true,
    Version: "2.8.1",
    VersionCheck: {
      Enabled: false,
      Success: false,
      NewVersion: "",
      NextCheckAt: "0001-01-01T00:00:00Z",
    },
    Router: {
      Protocol: "weave",
      ProtocolMinVersion: 1,
      ProtocolMaxVersion: 2,
      Encryption: false,
      PeerDiscovery: true,
      Name: name,
      NickName: "host1",
      Port: 6783,
      Peers: null,
      UnicastRoutes: null,
      BroadcastRoutes: null,
      Connections: null,
      TerminationCount: 0,
      Targets: null,
      OverlayDiagnostics: {},
      TrustedSubnets: [],
      Interface: "vethwe-pcap (via pcap)",
      CaptureStats: null,
      MACs: null,
    },
  };
}
