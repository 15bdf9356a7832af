import { clockSeriesMax, counter, gauge, neighbourSeriesMax } from "../metric-spec.ts";

const neighbour = {
  peer: "name of the peer at the other end; `other` for those without series of their own",
  nickname: "its host's name",
} as const;
const perNeighbour = neighbourSeriesMax + 1;
const overlay = "`fastdp`, `sleeve`, or `none` before one is chosen";

export const connectionMetrics = {
  weave_connections: gauge("Number of peer-to-peer connections.", {
    labels: {
      state: "established, pending, connecting, retrying, failed or waiting",
      type: "`fastdp`, `sleeve` or `unknown`",
      encryption: "`yes`, or empty",
    },
    seriesMax: 36,
  }),
  weave_connection_terminations_total: counter("Number of peer-to-peer connections terminated."),
  weave_connections_degraded: gauge(
    "Connections whose peers both have a better overlay than the one that carries frames.",
  ),
  weave_connections_max: gauge("Connections that this router takes at most; 0 for any number."),
  weave_connection_extensions: gauge("Number of connections with an extension of the protocol.", {
    labels: { extension: "name and version, e.g. `digests/1`" },
    seriesMax: 64,
  }),
  weave_connection_seals: gauge(
    "Number of connections whose frames are sealed, by cipher and implementation.",
    { labels: { seal: "e.g. `aes-256-gcm/libcrypto`" }, seriesMax: 8 },
  ),
  weave_encryption_enabled: gauge("Whether this router has a password.", { unit: "flag" }),
  weave_trusted_subnets: gauge("Networks to which connections are not encrypted."),

  weave_connection_info: gauge("1 for each neighbour, with what is known of its connection.", {
    unit: "flag",
    labels: {
      ...neighbour,
      address: "of the other end of the TCP connection",
      overlay,
      encrypted: "`yes` or `no`",
      seal: "what seals frames: cipher and implementation; of fastdp `esp`; empty in clear",
    },
    seriesMax: perNeighbour,
  }),
  weave_connection_established: gauge("Whether frames reach the neighbour, and its reach us.", {
    unit: "flag",
    labels: neighbour,
    seriesMax: perNeighbour,
  }),
  weave_connection_degraded: gauge(
    "Whether both ends have a better overlay, which does not work between them.",
    { unit: "flag", labels: neighbour, seriesMax: perNeighbour },
  ),
  weave_connection_path_losses_total: counter(
    "How often heartbeats stayed away so long that frames had to take another overlay.",
    { labels: neighbour, seriesMax: perNeighbour },
  ),
  weave_connection_bytes_total: counter(
    "Octets of containers' frames before encapsulation, since the connection was established.",
    {
      unit: "bytes",
      labels: { ...neighbour, overlay, direction: "`sent` or `received`" },
      seriesMax: 4 * neighbourSeriesMax,
    },
  ),
  weave_connection_packets_total: counter(
    "Frames of containers, since the connection was established.",
    {
      labels: { ...neighbour, overlay, direction: "`sent` or `received`" },
      seriesMax: 4 * neighbourSeriesMax,
    },
  ),
  weave_connection_compared_frames_total: counter(
    "Frames of containers that were sent over the connection, of which both ends know what became.",
    {
      labels: { ...neighbour, direction: "`sent` or `received`" },
      seriesMax: 2 * neighbourSeriesMax,
    },
  ),
  weave_connection_lost_frames_total: counter("Those of them that did not arrive.", {
    labels: { ...neighbour, direction: "`sent` or `received`" },
    seriesMax: 2 * neighbourSeriesMax,
  }),
  weave_connection_round_trip_seconds: gauge(
    "Smoothed round-trip time of the TCP connection to a peer.",
    {
      unit: "seconds",
      labels: { address: "of the other end", ...neighbour },
      seriesMax: perNeighbour,
    },
  ),
  weave_neighbour_clock_offset_seconds: gauge(
    "How far a neighbour's clock is ahead of this host's, negative when it is behind: those furthest off, by 2 s or more, and as `other` the furthest of the rest.",
    { unit: "seconds", labels: neighbour, seriesMax: clockSeriesMax + 1 },
  ),
  weave_connection_mtu_bytes: gauge(
    "Largest packet of a container that takes the connection's overlay in one piece.",
    {
      unit: "bytes",
      labels: { address: "of the other end", ...neighbour },
      seriesMax: perNeighbour,
    },
  ),
  weave_connection_overlay_start_time_seconds: gauge(
    "Since when frames take this overlay; a change means that another was chosen.",
    { unit: "timestamp", labels: { ...neighbour, overlay }, seriesMax: perNeighbour },
  ),

  weave_peers: gauge("Peers of the cluster that this router knows, itself included."),
  weave_peers_unreached: gauge("Peers to which frames find no way from here."),
  weave_topology_links: gauge("Connections of the whole cluster, as peers tell of them."),
  weave_topology_links_one_way: gauge(
    "Connections of the whole cluster that one end alone says are established.",
  ),

  weave_gossip_messages_total: counter("Messages between routers.", {
    labels: {
      channel: "`topology`, `IPallocation`, `nameserver`, …; `other` for those of newer peers",
      direction: "`sent` or `received`",
    },
    seriesMax: 24,
  }),
  weave_gossip_bytes_total: counter("Octets of payload in messages between routers.", {
    unit: "bytes",
    labels: {
      channel: "as above",
      direction: "`sent` or `received`",
    },
    seriesMax: 24,
  }),
  weave_gossip_refused_total: counter("Payloads of other peers that were refused."),
  weave_gossip_refusing: gauge("Peers whose payloads are refused, by the latest reason.", {
    labels: { channel: "as above", code: "e.g. `DNS_CLOCK_SKEW`, `IPAM_RING_CONFLICT`" },
    seriesMax: 32,
  }),
} as const;
