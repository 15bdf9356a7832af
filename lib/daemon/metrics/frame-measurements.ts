import { measured, type Sample } from "../../api/metrics/measurement.ts";
import { isMetric } from "../../api/metrics/metric-table.ts";
import { assert } from "../../base/errors.ts";
import type { DataPlane } from "../../host/dataplane/data-plane.ts";
import type { FastdpOverlay } from "../../overlay/fastdp/overlay.ts";

/** `framesOut` → `frames_out` */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Frames, octets and drops by reason, of this host as a whole. */
export function frameMeasurements(
  dataPlane: Pick<DataPlane, "counters" | "restarts">,
  fastdp: Pick<FastdpOverlay, "counters" | "backend"> | undefined,
): Sample[] {
  const { engine, total, sockets } = dataPlane.counters();
  const { busyMs, ...counts } = { ...engine, ...sockets };
  return [
    measured("weave_datapath_info", 1, { backend: fastdp?.backend ?? "none" }),
    ...countersOf("weave_sleeve", total),
    ...countersOf("weave_dataplane", counts),
    measured("weave_dataplane_busy_seconds_total", busyMs / 1000),
    measured("weave_dataplane_restarts_total", dataPlane.restarts),
    ...(fastdp === undefined ? [] : datapathMeasurements(fastdp)),
  ];
}

/** Drops are one metric, told apart by their reason. */
function datapathMeasurements(fastdp: Pick<FastdpOverlay, "counters">): Sample[] {
  const { drops, ...counts } = fastdp.counters();
  return [
    ...countersOf("weave_fastdp", counts),
    ...Object.entries(drops).map(([reason, value]) =>
      measured("weave_fastdp_drops_total", value, { reason: snakeCase(reason) }),
    ),
  ];
}

/** Each counter is a metric of its own. */
function countersOf(prefix: string, counts: object): Sample[] {
  return Object.entries(counts).map(([counter, value]: [string, number]) => {
    const name = `${prefix}_${snakeCase(counter)}_total`;
    assert(isMetric(name), `${name} is in the table of metrics`);
    return measured(name, value);
  });
}
