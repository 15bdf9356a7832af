import { type Labels, measured, type Sample } from "../../api/metrics/measurement.ts";
import { clockSeriesMax, neighbourSeriesMax } from "../../api/metrics/metric-spec.ts";
import type { ConnectionStatus } from "../../mesh/mesh-status.ts";

/**
 * What is measured of each connection to a peer. Of as many as {@link neighbourSeriesMax} each has
 * series of its own, by the order of names, so that who comes or goes changes little; the rest are
 * one, called `other`: the worst of them where it is about how well they are.
 *
 * What those have carried is in no series: a sum over connections that come and go is none of a
 * counter. `weave_fastdp_…` and `weave_sleeve_…` have the frames of all.
 */
type Neighbour = ConnectionStatus & Required<Pick<ConnectionStatus, "peer">>;

/** Peers of the original tell whole seconds. */
const clockOffMs = 2_000;

const otherLabels = { peer: "other", nickname: "" } as const;

export function neighbourMeasurements(connections: readonly ConnectionStatus[]): Sample[] {
  const neighbours = onePerPeer(connections);
  const rest = neighbours.slice(neighbourSeriesMax);
  return [
    ...neighbours.slice(0, neighbourSeriesMax).flatMap(ofOne),
    ...(rest.length === 0 ? [] : ofOthers(rest)),
    ...clocks(neighbours),
  ];
}

/** A connection may have a rival for a moment: the established one is the peer's. */
function onePerPeer(connections: readonly ConnectionStatus[]): Neighbour[] {
  const byName = new Map<string, Neighbour>();
  for (const each of connections) {
    if (!isNeighbour(each)) continue;
    const known = byName.get(each.peer.name);
    if (known?.state !== "established") byName.set(each.peer.name, each);
  }
  return [...byName.values()].sort((a, b) => (a.peer.name < b.peer.name ? -1 : 1));
}

function isNeighbour(connection: ConnectionStatus): connection is Neighbour {
  return connection.peer !== undefined;
}

function ofOne(connection: Neighbour): Sample[] {
  const { peer, address, attributes, degraded, state } = connection;
  const who = { peer: peer.name, nickname: peer.nickname };
  const overlay = String(attributes?.name ?? "none");
  return [
    measured("weave_connection_info", 1, { ...who, address, overlay, ...sealing(connection) }),
    measured("weave_connection_established", state === "established", who),
    measured("weave_connection_degraded", degraded === true, who),
    measured("weave_connection_path_losses_total", connection.losses ?? 0, who),
    ...(connection.carried ?? []).flatMap(({ overlay: by, traffic }) => {
      const sent = { ...who, overlay: by, direction: "sent" };
      const received = { ...who, overlay: by, direction: "received" };
      return [
        measured("weave_connection_bytes_total", traffic.sentBytes, sent),
        measured("weave_connection_bytes_total", traffic.receivedBytes, received),
        measured("weave_connection_packets_total", traffic.sentPackets, sent),
        measured("weave_connection_packets_total", traffic.receivedPackets, received),
      ];
    }),
    ...losses(connection, who),
    ...quality({ address, ...who }, connection.roundTripMs, mtuOf(connection)),
    ...(connection.sinceMs === undefined
      ? []
      : [
          measured("weave_connection_overlay_start_time_seconds", connection.sinceMs / 1000, {
            ...who,
            overlay,
          }),
        ]),
  ];
}

/** Nothing of neighbours that do not compare. */
function losses({ loss }: Neighbour, who: Labels): Sample[] {
  if (loss === undefined) return [];
  const ways = [
    [loss.total.to, { ...who, direction: "sent" }],
    [loss.total.from, { ...who, direction: "received" }],
  ] as const;
  return ways.flatMap(([{ frames, lost }, labels]) => [
    measured("weave_connection_compared_frames_total", frames, labels),
    measured("weave_connection_lost_frames_total", lost, labels),
  ]);
}

function ofOthers(rest: readonly Neighbour[]): Sample[] {
  const roundTrips = rest.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  const mtus = rest.flatMap((each) => mtuOf(each) ?? []);
  return [
    measured(
      "weave_connection_established",
      rest.every(({ state }) => state === "established"),
      otherLabels,
    ),
    measured(
      "weave_connection_degraded",
      rest.some(({ degraded }) => degraded === true),
      otherLabels,
    ),
    ...quality(
      { address: "", ...otherLabels },
      roundTrips.length === 0 ? undefined : Math.max(...roundTrips),
      mtus.length === 0 ? undefined : Math.min(...mtus),
    ),
  ];
}

function quality(
  labels: Labels,
  roundTripMs: number | undefined,
  mtu: number | undefined,
): Sample[] {
  return [
    ...(roundTripMs === undefined
      ? []
      : [measured("weave_connection_round_trip_seconds", roundTripMs / 1000, labels)]),
    ...(mtu === undefined ? [] : [measured("weave_connection_mtu_bytes", mtu, labels)]),
  ];
}

/** Whose clock is off has a series for as long as it is; all others are milliseconds apart. */
function clocks(neighbours: readonly Neighbour[]): Sample[] {
  const shown = neighbours
    .flatMap(({ peer, clockOffsetMs }) =>
      clockOffsetMs === undefined ? [] : [{ peer, clockOffsetMs }],
    )
    .toSorted((a, b) => Math.abs(b.clockOffsetMs) - Math.abs(a.clockOffsetMs));
  const off = shown
    .slice(0, clockSeriesMax)
    .filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs) >= clockOffMs);
  const rest = shown.slice(off.length, off.length + 1);
  return [...off, ...rest.map((each) => ({ ...each, peer: undefined }))].map(
    ({ peer, clockOffsetMs }) =>
      measured(
        "weave_neighbour_clock_offset_seconds",
        clockOffsetMs / 1000,
        peer === undefined ? otherLabels : { peer: peer.name, nickname: peer.nickname },
      ),
  );
}

/** Before a connection is established, nobody knows. */
function mtuOf({ state, attributes }: Neighbour): number | undefined {
  const mtu = attributes?.mtu;
  return state === "established" && typeof mtu === "number" ? mtu : undefined;
}

function sealing({ attributes }: Neighbour): { encrypted: string; seal: string } {
  const isEncrypted = attributes?.encrypted === true;
  if (!isEncrypted) return { encrypted: "no", seal: "" };
  return { encrypted: "yes", seal: String(attributes?.seal ?? "esp") };
}
