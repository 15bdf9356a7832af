import { type Measurement, measured } from "../../api/metrics/measurement.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { ControlPlane } from "../../peer/control-plane.ts";
import { ipamMeasurements } from "./ipam-measurements.ts";
import { meshMeasurements } from "./mesh-measurements.ts";

/** What the protocols of this peer have to tell, whatever machine it is on. */
export function planeMeasurements(
  { mesh, ipam, names }: Pick<ControlPlane, "mesh" | "ipam" | "names">,
  self: PeerName,
): Measurement[] {
  return [
    ...meshMeasurements(mesh.summary()),
    ...(ipam === undefined ? [] : ipamMeasurements(ipam.allocator.status(), self)),
    ...(names === undefined ? [] : nameMeasurements(names, self)),
  ];
}

function nameMeasurements(
  names: NonNullable<ControlPlane["names"]>,
  self: PeerName,
): Measurement[] {
  const live = names.entries().filter(({ tombstone }) => tombstone === 0);
  const own = live.filter(({ origin }) => origin === self);
  return [
    measured("weave_dns_entries", own.length),
    measured("weave_dns_known_entries", live.length),
  ];
}
