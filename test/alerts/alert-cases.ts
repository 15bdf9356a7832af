/**
 * What each alert is about, as series that a Prometheus might have. `values` are those of promtool:
 * `0+5x20` begins with 0 and grows by 5 every minute, twenty times.
 */
export interface AlertCase {
  readonly alert: string;
  /** Minutes after which it is firing. */
  readonly after: number;
  /** Minutes between two looks at the rules; 1 unless it takes a day. */
  readonly every?: number;
  readonly firing: readonly Series[];
  /** The same without what it warns of: nothing fires. */
  readonly calm: readonly Series[];
}

export type Series = readonly [name: string, values: string];

const long = 500;
const steady = (value: number): string => `${value}x${long}`;

/** With the labels that Prometheus adds. */
function on(instance: string, name: string, labels = ""): string {
  const own = `job="weave",instance="${instance}"`;
  return `${name}{${labels === "" ? own : `${own},${labels}`}}`;
}
const one = (name: string, labels = ""): string => on("host1", name, labels);

/** Fires by one series alone. */
function simple(
  alert: string,
  after: number,
  series: string,
  firing: string,
  calm: string,
): AlertCase {
  return { alert, after, firing: [[series, firing]], calm: [[series, calm]] };
}

/** A histogram of which almost all values are below `bound`, or above all bounds. */
function distribution(name: string, bound: string, above: boolean, labels = ""): Series[] {
  const bucket = (le: string): string =>
    one(`${name}_bucket`, `${labels === "" ? "" : `${labels},`}le="${le}"`);
  return [
    [bucket(bound), above ? steady(0) : `0+60x${long}`],
    [bucket("+Inf"), `0+60x${long}`],
  ];
}

/** Each further range begins where the one before ends. */
function slow(
  alert: string,
  after: number,
  name: string,
  [low, high]: readonly [string, string],
  labels = "",
): AlertCase {
  const top: Series = [
    one(`${name}_bucket`, `${labels === "" ? "" : `${labels},`}le="${high}"`),
    `0+60x${long}`,
  ];
  return {
    ...{ alert, after },
    firing: [...distribution(name, low, true, labels), top],
    calm: [...distribution(name, low, false, labels), top],
  };
}

const neighbour = 'peer="7a:00:00:00:00:02",nickname="host2"';
/** So many of 1200 frames a minute get lost. */
const losing = (lost: number): Series[] => [
  [one("weave_connection_lost_frames_total", `${neighbour},direction="sent"`), `0+${lost}x99`],
  [one("weave_connection_compared_frames_total", `${neighbour},direction="sent"`), "0+1200x99"],
];
const twoHosts = (name: string, a: number, b: number, labels = ""): Series[] => [
  [on("host1", name, labels), steady(a)],
  [on("host2", name, labels), steady(b)],
];

const router: readonly AlertCase[] = [
  simple("WeaveRouterDown", 3, one("up"), steady(0), steady(1)),
  simple(
    "WeaveRouterRestarts",
    30,
    one("process_start_time_seconds"),
    "1x10 2x5 3x5 4x100",
    "1x10 2x200",
  ),
  simple("WeaveRouterNotReady", 6, one("weave_ready"), steady(0), steady(1)),
  simple(
    "WeaveDataPlaneRestarts",
    12,
    one("weave_dataplane_restarts_total"),
    "0x8 1x99",
    steady(7),
  ),
  simple("WeaveDataPlaneBusy", 20, one("weave_dataplane_busy_seconds_total"), "0+59x99", "0+30x99"),
  simple(
    "WeaveFramesLostBeforeSending",
    15,
    one("weave_dataplane_capture_dropped_total"),
    "0+600x99",
    "0+6x99",
  ),
  slow("WeaveMainThreadLate", 20, "weave_event_loop_lag_seconds", ["0.01", "2.5"]),
  {
    ...{ alert: "WeaveVersionsDiffer", after: 1500, every: 30 },
    firing: [
      [on("host1", "weave_build_info", 'version="3.0.0"'), "1x99"],
      [on("host2", "weave_build_info", 'version="3.1.0"'), "1x99"],
    ],
    calm: ["host1", "host2"].map((host) => [
      on(host, "weave_build_info", 'version="3.1.0"'),
      "1x99",
    ]),
  },
  {
    ...{ alert: "WeaveDoctorFound", after: 2 },
    firing: [[one("weave_doctor_findings", 'code="MTU_TOO_LARGE",severity="error"'), steady(1)]],
    calm: [[one("weave_doctor_findings", 'code="MTU_TOO_LARGE",severity="note"'), steady(1)]],
  },
  simple(
    "WeaveEventsLost",
    12,
    one("weave_events_lost_total", 'outlet="syslog"'),
    "0x8 4x99",
    steady(4),
  ),
];

const connections = (state: string, encryption = ""): string =>
  one("weave_connections", `state="${state}",type="fastdp",encryption="${encryption}"`);

function secured(inClear: number, trusted: number): Series[] {
  return [
    [connections("established"), steady(inClear)],
    [connections("established", "yes"), steady(2)],
    [one("weave_encryption_enabled"), steady(1)],
    [one("weave_trusted_subnets"), steady(trusted)],
  ];
}

const links: readonly AlertCase[] = [
  simple("WeavePeersUnreached", 6, one("weave_peers_unreached"), steady(1), steady(0)),
  {
    ...{ alert: "WeavePartition", after: 12 },
    firing: twoHosts("weave_peers", 3, 2),
    calm: twoHosts("weave_peers", 3, 3),
  },
  simple("WeaveLinkOneWay", 6, one("weave_topology_links_one_way"), steady(1), steady(0)),
  simple("WeaveLinkNeverEstablished", 6, connections("pending"), steady(1), "1x3 0x99"),
  simple("WeaveTargetUnreachable", 16, connections("failed"), steady(1), "1x9 0x99"),
  simple(
    "WeaveConnectionsFlapping",
    16,
    one("weave_connection_terminations_total"),
    "0+1x99",
    "0x9 1x99",
  ),
  {
    ...{ alert: "WeaveOverlayFlapping", after: 30 },
    firing: [
      [
        one("weave_connection_overlay_start_time_seconds", `${neighbour},overlay="fastdp"`),
        "1 _x9 3 _x9 5 _x99",
      ],
      [
        one("weave_connection_overlay_start_time_seconds", `${neighbour},overlay="sleeve"`),
        "_ 2x4 _x5 4x4 _x9 6x99",
      ],
    ],
    calm: [
      [
        one("weave_connection_overlay_start_time_seconds", `${neighbour},overlay="fastdp"`),
        "1x9 2x99",
      ],
    ],
  },
  simple("WeaveSleeveInsteadOfFastdp", 12, one("weave_connections_degraded"), steady(1), steady(0)),
  {
    ...{ alert: "WeaveNoKernelDatapath", after: 16 },
    firing: [
      [on("host1", "weave_datapath_info", 'backend="none"'), steady(1)],
      [on("host2", "weave_datapath_info", 'backend="ebpf"'), steady(1)],
    ],
    calm: ["host1", "host2"].map((host) => [
      on(host, "weave_datapath_info", 'backend="none"'),
      steady(1),
    ]),
  },
  simple(
    "WeavePathMtuSmall",
    12,
    one("weave_connection_mtu_bytes", neighbour),
    steady(1180),
    steady(1376),
  ),
  simple(
    "WeavePathMtuShrunk",
    80,
    one("weave_connection_mtu_bytes", neighbour),
    "8902x60 1376x99",
    "1410x60 1376x99",
  ),
  simple("WeaveFragmenting", 25, one("weave_sleeve_fragments_out_total"), "0+60000x99", "0+60x99"),
  { alert: "WeaveUnencrypted", after: 3, firing: secured(1, 0), calm: secured(0, 0) },
  { alert: "WeaveUnencrypted", after: 3, firing: secured(1, 0), calm: secured(1, 1) },
  {
    ...{ alert: "WeavePasswordOnSomeHosts", after: 12 },
    firing: twoHosts("weave_encryption_enabled", 1, 0),
    calm: twoHosts("weave_encryption_enabled", 1, 1),
  },
  {
    ...{ alert: "WeaveLinkLoses", after: 16 },
    firing: losing(60),
    calm: losing(6),
  },
  simple(
    "WeaveRoundTripLong",
    16,
    one("weave_connection_round_trip_seconds", neighbour),
    steady(0.3),
    steady(0.1),
  ),
];

const space = (free: readonly [number, number]): Series[] => [
  ...twoHosts("weave_ipam_local_free_addresses", ...free),
  ...twoHosts("weave_max_ips", 1000, 1000),
];

const addresses: readonly AlertCase[] = [
  simple(
    "WeaveRingSplit",
    4,
    one("weave_ipam_conflicts", 'code="IPAM_RING_SEEDS"'),
    steady(1),
    steady(0),
  ),
  simple(
    "WeaveRangeUnreachable",
    32,
    one("weave_ipam_unreachable_percentage"),
    steady(25),
    "25x20 0x99",
  ),
  {
    ...{ alert: "WeaveAddressesRunningOut", after: 12 },
    firing: space([60, 30]),
    calm: space([0, 300]),
  },
  simple("WeaveAddressesWaitedFor", 6, one("weave_ipam_pending_allocates"), steady(1), "1x2 0x99"),
  simple("WeaveAddressesWaitedFor", 6, one("weave_ipam_pending_claims"), steady(1), "1x2 0x99"),
  simple("WeaveElectionPending", 12, one("weave_ipam_election_pending"), steady(1), "1x5 0x99"),
  simple("WeaveAddressesSuspended", 3, one("weave_ipam_suspended"), steady(1), steady(0)),
  simple("WeaveStoreFailing", 3, one("weave_ipam_store_failing"), steady(1), steady(0)),
];

const asked = (failed: string): Series[] => [
  [one("weave_dns_queries_total", 'transport="udp"'), "0+100x99"],
  [one("weave_dns_queries_total", 'transport="tcp"'), "0+0x99"],
  [one("weave_dns_results_total", 'result="unanswered"'), failed],
  [one("weave_dns_results_total", 'result="no-such-name"'), "0+50x99"],
];
const refusals = (code: string, count: string): Series[] => [
  [one("weave_gossip_refusing", `channel="nameserver",code="${code}"`), steady(1)],
  [one("weave_gossip_refused_total"), count],
];

const names: readonly AlertCase[] = [
  { alert: "WeaveDnsFailing", after: 20, firing: asked("0+20x99"), calm: asked("0+5x99") },
  slow("WeaveDnsSlow", 20, "weave_dns_latency_seconds", ["0.01", "10"]),
  simple("WeaveDnsNotListening", 6, one("weave_dns_listen_problems"), steady(1), steady(0)),
  {
    ...{ alert: "WeaveClockSkew", after: 10 },
    firing: refusals("DNS_CLOCK_SKEW", "0+1x99"),
    calm: refusals("DNS_CLOCK_SKEW", steady(9)),
  },
  {
    ...{ alert: "WeaveClockSkew", after: 10 },
    firing: refusals("POLICY_CLOCK_SKEW", "0+1x99"),
    calm: refusals("IPAM_RING_SEEDS", "0+1x99"),
  },
  {
    ...{ alert: "WeaveClockOff", after: 12 },
    firing: [[one("weave_neighbour_clock_offset_seconds", neighbour), steady(-31)]],
    calm: [[one("weave_neighbour_clock_offset_seconds", neighbour), `-31x5 -2x${long}`]],
  },
  simple("WeaveGossipRefused", 32, one("weave_gossip_refused_total"), "0+1x99", steady(9)),
];

const blocked = (values: string): Series[] => [
  [one("weave_policy_blocked_total", 'policy="shop/deny",direction="ingress"'), values],
];

const policies: readonly AlertCase[] = [
  simple("WeavePoliciesNotEnforced", 4, one("weave_policy_enforced"), steady(0), steady(1)),
  simple("WeavePolicyErrors", 12, one("weavenpc_policy_enforcement_errors"), "0x8 2x99", steady(2)),
  {
    ...{ alert: "WeavePolicyBlocksSurge", after: 80 },
    firing: blocked("0+6x70 1000+600x99"),
    calm: blocked("0+600x200"),
  },
  simple("WeavePolicyHoldsPods", 12, one("weave_policy_held_addresses"), steady(2), "2x3 0x99"),
];

const containers: readonly AlertCase[] = [
  simple(
    "WeaveAttachFailing",
    20,
    one("weave_attach_failures_total", 'by="cni"'),
    "0+1x99",
    steady(3),
  ),
  slow("WeaveAttachSlow", 30, "weave_attach_seconds", ["0.1", "30"], 'by="engine"'),
  simple(
    "WeaveContainersWaiting",
    6,
    one("weave_docker_waiting_containers"),
    steady(1),
    "1x2 0x99",
  ),
  {
    ...{ alert: "WeaveDockerUnheard", after: 6 },
    firing: [
      [one("weave_docker_connected"), steady(0)],
      [one("weave_docker_connections_total"), steady(2)],
    ],
    calm: [
      [one("weave_docker_connected"), steady(0)],
      [one("weave_docker_connections_total"), steady(0)],
    ],
  },
  simple("WeaveNodeNotReady", 6, one("weave_kubernetes_ready"), steady(0), steady(1)),
  simple(
    "WeaveClusterUnheard",
    12,
    one("weave_kubernetes_watching", 'resource="pods"'),
    steady(0),
    steady(1),
  ),
];

export const alertCases: readonly AlertCase[] = [
  ...router,
  ...links,
  ...addresses,
  ...names,
  ...policies,
  ...containers,
];
