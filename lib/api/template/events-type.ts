import type { EventOutletReport, EventsReport, TracingReport } from "../events-report.ts";
import { int, slice, string, struct } from "./go-type.ts";

/** Of {@link EventsReport}. */
export const eventsType = struct<EventsReport>("EventsReport", {
  Outlets: slice(
    struct<EventOutletReport>(
      "EventOutletReport",
      { Name: string, To: string, Sent: int, Lost: int, Waiting: int, Trouble: string },
      { additions: ["Trouble"] },
    ),
  ),
});

/** Of {@link TracingReport}. */
export const tracingType = struct<TracingReport>(
  "TracingReport",
  { Endpoint: string, Sent: int, Dropped: int, Waiting: int, Trouble: string },
  { additions: ["Trouble"] },
);
