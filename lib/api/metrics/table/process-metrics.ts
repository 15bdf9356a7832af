import { counter, gauge, histogram } from "../metric-spec.ts";

export const processMetrics = {
  weave_build_info: gauge("1, with the version of this router.", {
    unit: "flag",
    labels: { version: "e.g. `3.0.0`" },
  }),
  weave_ready: gauge("Whether the router has started and waits for nothing.", { unit: "flag" }),
  weave_event_loop_lag_seconds: histogram(
    "How much too late the router's main thread came to what was due, looked at every second.",
  ),
  weave_doctor_findings: gauge("What `weave doctor` found the last time it was asked.", {
    labels: { code: "docs/doctor.md has them", severity: "`error`, `warning` or `note`" },
    seriesMax: 48,
  }),
  weave_doctor_last_run_time_seconds: gauge("When that was; missing before the first time.", {
    unit: "timestamp",
  }),
  weave_events_sent_total: counter(
    "Events that were written to a file or sent to a syslog receiver.",
    { labels: { outlet: "`file` or `syslog`" }, seriesMax: 2 },
  ),
  weave_events_lost_total: counter(
    "Events that could be neither written nor sent, and did not fit where they wait.",
    { labels: { outlet: "`file` or `syslog`" }, seriesMax: 2 },
  ),
  weave_trace_spans_sent_total: counter("Spans that a collector of traces has taken."),
  weave_trace_spans_dropped_total: counter("Spans that no collector has taken."),
  process_cpu_seconds_total: counter("Total user and system CPU time spent in seconds.", {
    unit: "seconds",
  }),
  process_open_fds: gauge("Number of open file descriptors."),
  process_max_fds: gauge("Maximum number of open file descriptors."),
  process_resident_memory_bytes: gauge("Resident memory size in bytes.", { unit: "bytes" }),
  process_virtual_memory_bytes: gauge("Virtual memory size in bytes.", { unit: "bytes" }),
  process_start_time_seconds: gauge("Start time of the process since unix epoch in seconds.", {
    unit: "timestamp",
  }),
  weave_heap_bytes: gauge("Memory that the main thread's objects take.", { unit: "bytes" }),
} as const;
