import { counted } from "../base/counted.ts";
import type { SnapshotExtent } from "../daemon/snapshot.ts";

/** How much of a router's state there is, on one line. */
export function extentText({ addresses, names, targets, exposed }: SnapshotExtent): string {
  return [
    counted(addresses, "address", "addresses"),
    counted(exposed, "exposed address", "exposed addresses"),
    counted(names, "name"),
    counted(targets, "peer to connect to", "peers to connect to"),
  ].join(", ");
}
