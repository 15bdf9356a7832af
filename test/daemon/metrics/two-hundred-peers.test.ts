import { expect, test } from "bun:test";
import type { Measurement } from "../../../lib/api/metrics/measurement.ts";
import type { MetricSpec } from "../../../lib/api/metrics/metric-spec.ts";
import { metricTable } from "../../../lib/api/metrics/metric-table.ts";
import { prometheusText } from "../../../lib/api/metrics/prometheus-text.ts";
import { Histogram } from "../../../lib/base/histogram.ts";
import { type PeerName, peerNameFromNumber } from "../../../lib/base/peer-name.ts";
import { AttachTimes, attachCallers } from "../../../lib/daemon/metrics/attach-times.ts";
import { dnsMeasurements } from "../../../lib/daemon/metrics/dns-measurements.ts";
import { frameMeasurements } from "../../../lib/daemon/metrics/frame-measurements.ts";
import { ipamMeasurements } from "../../../lib/daemon/metrics/ipam-measurements.ts";
import { meshMeasurements } from "../../../lib/daemon/metrics/mesh-measurements.ts";
import { processMeasurements } from "../../../lib/daemon/metrics/process-measurements.ts";
import { counterNames } from "../../../lib/host/datapath/ebpf/tables.ts";
import { newSocketCounters } from "../../../lib/host/dataplane/counter-board.ts";
import { latencyBoundsS } from "../../../lib/host/dns-stats.ts";
import type { AllocatorStatus } from "../../../lib/ipam/allocator-status.ts";
import { newEngineCounters, newLinkCounters } from "../../../lib/overlay/sleeve/counters.ts";
import { established, summary } from "./some-mesh.ts";

const peers = 200;
const self = peerNameFromNumber(1);

/** Every neighbour has been reached by both overlays. */
function mesh(): Measurement[] {
  const traffic = { sentPackets: 1, sentBytes: 60, receivedPackets: 1, receivedBytes: 60 };
  const carried = ["fastdp", "sleeve"].map((overlay) => ({ overlay, traffic }));
  const tally = { frames: 1, lost: 0 };
  const loss = { recent: { to: tally, from: tally }, total: { to: tally, from: tally } };
  const connections = Array.from({ length: peers - 1 }, (_, at) =>
    established(at + 2, {
      ...{ roundTripMs: 1, sinceMs: 1, carried, loss, extensions: ["digests/1", "sleeve-ipv6/1"] },
      attributes: { name: "fastdp", mtu: 1376, encrypted: true },
    }),
  );
  const gossip = ["topology", "IPallocation", "nameserver", "policy"].map((channel) => ({
    ...{ channel, sentMessages: 1, sentBytes: 1, receivedMessages: 1, receivedBytes: 1 },
  }));
  const topology = { peers, unreached: 0, links: (peers * (peers - 1)) / 2, oneWay: 0 };
  return meshMeasurements({ ...summary, connections, gossip, topology });
}

/** Each has a part of every subnet. */
function addresses(): Measurement[] {
  const ranges = Array.from({ length: 4 * peers }, (_, at) => {
    const peer = peerNameFromNumber((at % peers) + 1);
    return { token: at * 64, size: 64, peer, nickname: `host${peer}`, version: 1, free: 60 };
  }).map((range) => ({ ...range, isKnownPeer: true }));
  const status: Partial<AllocatorStatus> = {
    ...{ universeSize: 65_536, activeAddresses: 40, ranges, ringEntries: ranges.length },
    ...{ pendingClaims: [], pendingAllocations: [], conflicts: [], election: undefined },
  };
  return ipamMeasurements(status as AllocatorStatus, self as PeerName);
}

function frames(): Measurement[] {
  const counters = { engine: newEngineCounters(), total: newLinkCounters() };
  const dataPlane = {
    counters: () => ({ ...counters, sockets: newSocketCounters() }),
    restarts: 0,
  };
  const [sentFrames, sentBytes, receivedFrames, receivedBytes] = [1, 1, 1, 1];
  const sums = { sentFrames, sentBytes, receivedFrames, receivedBytes };
  const more = { relayedFrames: 1, floodedFrames: 1, handedOverFrames: 1, handedInFrames: 1 };
  const drops = Object.fromEntries(counterNames.slice(10).map((name) => [name, 1]));
  const fastdp = { backend: "ebpf", counters: () => ({ ...sums, ...more, drops }) };
  return frameMeasurements(dataPlane, fastdp);
}

function names(): Measurement[] {
  const stats = {
    queries: { udp: 1, tcp: 1 },
    results: { answered: 1, "no-data": 1, "no-such-name": 1, forwarded: 1, unanswered: 1 },
    ...{ forwarding: 0, tcpClients: 0, tcpRefused: 0 },
    latency: new Histogram(latencyBoundsS).read(),
  };
  const upstreams = { servers: () => [] };
  return dnsMeasurements({ problems: () => [], stats: () => [stats, stats], upstreams });
}

test("a router with 199 neighbours has less than two thousand series, and hides none for that", () => {
  expect(attachCallers).toHaveLength(3);
  const attached = new AttachTimes().measurements();
  const all = [...mesh(), ...addresses(), ...frames(), ...names(), ...attached];
  const everything = [...all, ...processMeasurements()];
  const lines = prometheusText(everything)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines.length).toBeGreaterThan(800);
  expect(lines.length).toBeLessThan(2000);
  const cut = [...Map.groupBy(everything, ({ name }) => name)].filter(([name, family]) => {
    const { seriesMax = 1 }: MetricSpec = metricTable[name];
    return family.length > seriesMax;
  });
  expect(cut.map(([name]) => name)).toEqual([]);
});
