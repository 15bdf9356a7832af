import type { LossReport, LossWayReport } from "../loss-report.ts";
import type { TrafficReport } from "../report.ts";
import { int, plain, struct } from "./go-type.ts";

export const trafficType = struct<TrafficReport>("TrafficReport", {
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

export const lossType = struct<LossReport>("LossReport", {
  Seconds: int,
  To: lossWayType,
  From: lossWayType,
});
