import type { SnapshotExtent } from "../daemon/snapshot.ts";

/** How much of a router's state there is, on one line. */
export function extentText({ addresses, names, targets, exposed }: SnapshotExtent): string {
  return [
    count(addresses, "address", "addresses"),
    count(exposed, "exposed address", "exposed addresses"),
    count(names, "name", "names"),
    count(targets, "peer to connect to", "peers to connect to"),
  ].join(", ");
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
