import type { Gauge } from "../api/router-control.ts";
import type { DataPlane } from "../host/dataplane/data-plane.ts";
import type { MeshStatus } from "../mesh/mesh-status.ts";
import type { FastdpOverlay } from "../overlay/fastdp/overlay.ts";
import type { DnsService } from "./dns-service.ts";

/** `framesOut` → `frames_out` */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What the original never showed: frames, octets and drops by reason, refusals, name queries. */
export function routerGauges(
  dataPlane: DataPlane,
  mesh: MeshStatus,
  dns: DnsService | undefined,
  fastdp: FastdpOverlay | undefined,
): Gauge[] {
  const { engine, total, sockets } = dataPlane.counters();
  const counter = (name: string, help: string, value: number): Gauge => ({
    name,
    help,
    type: "counter",
    value,
  });
  return [
    ...Object.entries(total).map(([name, value]) =>
      counter(`weave_sleeve_${snakeCase(name)}_total`, "Sum over all sleeve links.", value),
    ),
    ...Object.entries({ ...engine, ...sockets }).map(([name, value]) =>
      counter(`weave_dataplane_${snakeCase(name)}_total`, "Frames of this host.", value),
    ),
    ...datapathGauges(fastdp),
    counter(
      "weave_dataplane_restarts_total",
      "How often the data plane was started anew.",
      dataPlane.restarts,
    ),
    counter(
      "weave_gossip_refused_total",
      "Payloads of other peers that were refused.",
      mesh.refusals.reduce((sum, { count }) => sum + count, 0),
    ),
    {
      name: "weave_dns_listen_problems",
      help: "Addresses at which weaveDNS should listen and cannot.",
      type: "gauge",
      value: dns?.problems().length ?? 0,
    },
  ];
}

/** Drops are one metric, told apart by their reason. */
function datapathGauges(fastdp: FastdpOverlay | undefined): Gauge[] {
  if (fastdp === undefined) return [];
  const { drops, ...counts } = fastdp.counters();
  const type = "counter" as const;
  return [
    ...Object.entries(counts).map(([name, value]) => ({
      name: `weave_fastdp_${snakeCase(name)}_total`,
      help: "Frames of this host in the kernel's datapath.",
      type,
      value,
    })),
    ...Object.entries(drops).map(([reason, value]) => ({
      name: "weave_fastdp_drops_total",
      help: "Frames that the kernel's datapath dropped, by reason.",
      type,
      labels: { reason: snakeCase(reason) },
      value,
    })),
  ];
}
