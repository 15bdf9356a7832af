import { hostname } from "node:os";
import type { TracingReport } from "../../api/events-report.ts";
import { type Measurement, measured } from "../../api/metrics/measurement.ts";
import { productVersion } from "../../base/product-version.ts";
import type { World } from "../../base/world.ts";
import type { LaunchOptions } from "../launch-options.ts";
import type { Shutdown } from "../shutdown.ts";
import { OtlpExporter } from "./otlp-exporter.ts";
import { postTraces } from "./otlp-request.ts";
import { noTracer, RecordingTracer, type Tracer } from "./tracer.ts";

/** Traces of a router, and what becomes of them. */
export interface Tracing {
  readonly tracer: Tracer;
  /** `undefined` for a router that traces nothing. */
  report(): TracingReport | undefined;
  measurements(): Measurement[];
}

const noTracing: Tracing = {
  tracer: noTracer,
  report: () => undefined,
  measurements: () => [],
};

/** What waits at the end of `shutdown` is sent, if that takes no time. */
export function openTracing(
  world: World,
  options: LaunchOptions["tracing"],
  shutdown: Shutdown,
): Tracing {
  if (options === undefined) return noTracing;
  const { endpoint, headers, resource, timeoutMs } = options;
  const request = { url: endpoint, headers, timeoutMs };
  const exporter = new OtlpExporter({
    ...{ world, endpoint },
    resource: { "service.version": productVersion, "host.name": hostname(), ...resource },
    send: (body) => postTraces(request, body),
  });
  shutdown.push("traces", () => exporter.stop());
  return {
    tracer: new RecordingTracer(world, exporter.take),
    report() {
      const { sent, dropped, waiting, trouble } = exporter.status();
      return {
        ...{ Endpoint: endpoint, Sent: sent, Dropped: dropped, Waiting: waiting },
        ...(trouble !== undefined && { Trouble: trouble }),
      };
    },
    measurements() {
      const { sent, dropped } = exporter.status();
      return [
        measured("weave_trace_spans_sent_total", sent),
        measured("weave_trace_spans_dropped_total", dropped),
      ];
    },
  };
}
