import type { RouteTable } from "./route-spec.ts";
import { addressTable } from "./table/address-table.ts";
import { cniTable } from "./table/cni-table.ts";
import { containerTable } from "./table/container-table.ts";
import { eventTable } from "./table/event-table.ts";
import { incidentTable } from "./table/incident-table.ts";
import {
  descriptionTable,
  diagnosisTable,
  metricsTable,
  reportTable,
  statusTable,
} from "./table/look-table.ts";
import { nameTable } from "./table/name-table.ts";
import { peerTable } from "./table/peer-table.ts";
import { pageTable, pictureTable } from "./table/picture-table.ts";
import { pluginTable } from "./table/plugin-table.ts";
import { policyLookTable, policyTable } from "./table/policy-table.ts";
import { proxyTable } from "./table/proxy-table.ts";

/** Every route there is, by the chapters of `docs/api.md`. */
export const routeChapters: ReadonlyMap<string, RouteTable> = new Map<string, RouteTable>([
  ["Peers", peerTable],
  ["Addresses", addressTable],
  ["Names", nameTable],
  ["Containers, names and the bridge", containerTable],
  ["Container runtimes", cniTable],
  ["Policies", { ...policyTable, ...policyLookTable }],
  ["The Docker API proxy", proxyTable],
  ["Docker's networks", pluginTable],
  ["Status", statusTable],
  ["Diagnosis", diagnosisTable],
  ["Events", eventTable],
  ["The picture", pictureTable],
  ["The page", pageTable],
  ["Report", reportTable],
  ["Incidents", incidentTable],
  ["Metrics", metricsTable],
  ["Description", descriptionTable],
]);

/** `/ip/:id` as documents write it: `/ip/{id}`. */
export function documentedPath(path: string): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}
