import { counter, gauge } from "../metric-spec.ts";

const sleeve = (help: string) => counter(`${help} All sleeve links together.`);
const sleeveBytes = (help: string) =>
  counter(`${help} All sleeve links together.`, { unit: "bytes" });

export const frameMetrics = {
  weave_datapath_info: gauge("1, with what of the kernel carries frames.", {
    unit: "flag",
    labels: { backend: "`ebpf`, `ovs`, or `none` where sleeve carries all frames" },
  }),
  weave_sleeve_frames_out_total: sleeve("Frames sent."),
  weave_sleeve_frame_octets_out_total: sleeveBytes("Octets of frames sent."),
  weave_sleeve_datagrams_out_total: sleeve("Datagrams sent."),
  weave_sleeve_datagram_octets_out_total: sleeveBytes("Octets of datagrams sent."),
  weave_sleeve_frames_in_total: sleeve("Frames received."),
  weave_sleeve_frame_octets_in_total: sleeveBytes("Octets of frames received."),
  weave_sleeve_datagrams_in_total: sleeve("Datagrams received."),
  weave_sleeve_datagram_octets_in_total: sleeveBytes("Octets of datagrams received."),
  weave_sleeve_fragments_out_total: sleeve("Fragments made of packets too big for the path."),
  weave_sleeve_too_big_replies_total: sleeve("Senders told that their packets are too big."),
  weave_sleeve_drop_too_big_silently_total: sleeve(
    "Packets too big whose senders were not told, because too many were already.",
  ),
  weave_sleeve_drop_no_address_total: sleeve("Frames for a peer whose address is not known yet."),
  weave_sleeve_drop_broadcast_too_big_total: sleeve("Flooded frames above the MTU, with DF."),
  weave_sleeve_drop_oversized_total: sleeve("Frames that no datagram holds."),
  weave_sleeve_drop_indivisible_total: sleeve("Frames that cannot be divided."),
  weave_sleeve_drop_backlog_full_total: sleeve("Datagrams that found no room in socket and queue."),
  weave_sleeve_send_too_big_total: sleeve("Datagrams refused as larger than the path's MTU."),
  weave_sleeve_send_errors_total: sleeve("Datagrams lost to any other error of sending."),
  weave_sleeve_datagram_faults_total: sleeve("Datagrams that were cut off or malformed."),
  weave_sleeve_decrypt_failures_total: sleeve("Datagrams that did not authenticate."),
  weave_sleeve_unknown_epochs_total: sleeve("Datagrams under a key that was not expected."),
  weave_sleeve_replays_total: sleeve("Datagrams that had come before."),
  weave_sleeve_drop_unknown_peer_total: sleeve("Frames from or for a peer nobody knows."),
  weave_sleeve_drop_runt_total: sleeve("Frames shorter than an Ethernet header."),
  weave_sleeve_special_ignored_total: sleeve("Heartbeats and tests that were not for this link."),

  weave_dataplane_frames_captured_total: counter("Frames captured in user space."),
  weave_dataplane_frames_injected_total: counter("Frames delivered from user space."),
  weave_dataplane_drop_runt_total: counter("Captured frames shorter than an Ethernet header."),
  weave_dataplane_drop_spanning_tree_total: counter("Captured frames of bridges to each other."),
  weave_dataplane_drop_mac_conflict_total: counter("Captured frames of an address seen elsewhere."),
  weave_dataplane_drop_destination_local_total: counter("Captured frames between containers here."),
  weave_dataplane_drop_no_route_total: counter("Frames for a peer to which there is no route."),
  weave_dataplane_drop_would_return_total: counter("Frames that would have gone back."),
  weave_dataplane_drop_unmarked_total: counter("Frames of the kernel that do not say whose."),
  weave_dataplane_drop_no_short_id_total: counter("Frames of a peer that the kernel cannot name."),
  weave_dataplane_drop_no_link_total: counter("Frames whose next hop has no sleeve link."),
  weave_dataplane_own_frames_received_total: counter("Frames that came back to this host."),
  weave_dataplane_datagrams_from_strangers_total: counter("Datagrams of nobody we know."),
  weave_dataplane_capture_received_total: counter("Frames that the capture socket passed on."),
  weave_dataplane_capture_dropped_total: counter("Frames lost because user space was too slow."),
  weave_dataplane_capture_malformed_total: counter(
    "Frames whose headers lie about unfinished parts.",
  ),
  weave_dataplane_inject_failures_total: counter("Frames that the kernel did not take."),
  weave_dataplane_turns_total: counter("How often the thread that carries frames has gone round."),
  weave_dataplane_busy_seconds_total: counter(
    "Time in which the thread that carries frames did not sleep.",
    { unit: "seconds" },
  ),
  weave_dataplane_restarts_total: counter("How often the data plane was started anew."),

  weave_fastdp_sent_frames_total: counter("Frames of containers sent through tunnels, each copy."),
  weave_fastdp_sent_bytes_total: counter("Their octets.", { unit: "bytes" }),
  weave_fastdp_received_frames_total: counter("Frames delivered from tunnels."),
  weave_fastdp_received_bytes_total: counter("Their octets.", { unit: "bytes" }),
  weave_fastdp_relayed_frames_total: counter("Frames passed on for other peers."),
  weave_fastdp_flooded_frames_total: counter("Frames sent to everybody."),
  weave_fastdp_handed_over_frames_total: counter("Frames handed to sleeve."),
  weave_fastdp_handed_in_frames_total: counter("Frames that sleeve handed in."),
  weave_fastdp_drops_total: counter("Frames that the kernel's datapath dropped, by reason.", {
    labels: { reason: "e.g. `no_route`, `unknown_source`, `mac_conflict`" },
    seriesMax: 20,
  }),
} as const;
