import type { LossReport, LossWayReport } from "../loss-report.ts";
import type { ConnectionReport, TrafficReport } from "../router-report.ts";
import { any, bool, int, map, plain, pointer, slice, string, struct } from "./go-type.ts";

const trafficType = struct<TrafficReport>("TrafficReport", {
  SentPackets: int,
  SentBytes: int,
  ReceivedPackets: int,
  ReceivedBytes: int,
});

const lossWayType = struct<LossWayReport>("LossWayReport", {
  Frames: int,
  Lost: int,
  Share: plain,
});

const lossType = struct<LossReport>("LossReport", {
  Seconds: int,
  To: lossWayType,
  From: lossWayType,
});

/** A connection of the report, or an attempt to make one. */
export const connectionType = struct<ConnectionReport>(
  "ConnectionReport",
  {
    Address: string,
    Outbound: bool,
    State: string,
    Info: string,
    Attrs: map(any),
    Extensions: slice(string),
    RoundTripMs: plain,
    ClockOffsetMs: plain,
    Reason: string,
    Since: string,
    Remedy: string,
    Traffic: pointer(trafficType),
    Loss: pointer(lossType),
  },
  {
    additions: [
      "Extensions",
      "RoundTripMs",
      "ClockOffsetMs",
      "Reason",
      "Since",
      "Remedy",
      "Traffic",
      "Loss",
    ],
  },
);
