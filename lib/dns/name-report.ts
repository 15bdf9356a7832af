import { formatIpv4 } from "../base/ip.ts";
import { formatPeerName } from "../base/peer-name.ts";
import type { Entry } from "./entry.ts";

/** One element of `GET /name` (dns §7): the origin is a number there, as the original has it. */
export function nameRecord(entry: Entry) {
  return {
    ContainerID: entry.containerId,
    Origin: Number(entry.origin),
    Addr: formatIpv4(entry.address),
    Hostname: entry.hostname,
    Version: entry.version,
    Tombstone: entry.tombstone,
  };
}

/** One element of `DNS.Entries` in `/report` (dns §9). */
export function nameStatus(entry: Entry) {
  return {
    Hostname: entry.hostname,
    Origin: formatPeerName(entry.origin),
    ContainerID: entry.containerId,
    Address: formatIpv4(entry.address),
    Version: entry.version,
    Tombstone: entry.tombstone,
  };
}
