import { syslogFacilityNames } from "../../wire/syslog-message.ts";
import type { FlagSpec } from "../command-spec.ts";

/** Options of `weave launch` on where events go besides the router's own memory. */
export const eventFlags: readonly FlagSpec[] = [
  {
    name: "events-file",
    value: { kind: "file", placeholder: "file" },
    environment: "WEAVE_EVENTS_FILE",
    summary: "also write events there, a line of JSON each, for root alone; see docs/events.md",
  },
  {
    name: "events-syslog",
    value: { kind: "text", placeholder: "where" },
    environment: "WEAVE_EVENTS_SYSLOG",
    summary:
      "also send events to a syslog receiver (RFC 5424): local, unix:///path, udp://host[:port] or tcp://host:port",
  },
  {
    name: "events-syslog-facility",
    value: { kind: "choice", placeholder: "facility", choices: syslogFacilityNames },
    default: "daemon",
    summary: "the facility of those messages",
  },
];

/** Options of `weave launch` on traces. */
export const traceFlags: readonly FlagSpec[] = [
  {
    name: "otlp-endpoint",
    value: { kind: "text", placeholder: "url" },
    environment: "WEAVE_OTLP_ENDPOINT",
    summary:
      "send traces of attaching and allocating to a collector of OpenTelemetry, http://collector:4318; see docs/tracing.md",
  },
  {
    name: "otlp",
    environment: "WEAVE_OTLP",
    summary: "the same, to where OTEL_EXPORTER_OTLP_ENDPOINT says, else to http://localhost:4318",
  },
];
