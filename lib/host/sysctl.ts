import { readFileSync, writeFileSync } from "node:fs";
import { errorText, WeaveError } from "../base/errors.ts";

/**
 * Kernel settings of the network namespace in which the calling thread is. Keys are paths below
 * `net`, because interface names may hold dots: `ipv4/neigh/ethwe/ucast_solicit`.
 */

/** False when the kernel has no such setting. @throws WeaveError `SYSCTL` */
export function setSysctl(key: string, value: number): boolean {
  const path = `/proc/sys/net/${key}`;
  try {
    writeFileSync(path, `${value}`);
    return true;
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return false;
    throw new WeaveError("SYSCTL", `cannot set ${path} to ${value}: ${errorText(cause)}`, {
      remedy: "run as root, with /proc/sys writable",
      cause,
    });
  }
}

/** `undefined` when the kernel has no such setting. */
export function sysctl(key: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/net/${key}`, "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Keeps an interface from configuring itself by router advertisements of the overlay. */
export function refuseRouterAdvertisements(interfaceName: string): void {
  setSysctl(`ipv6/conf/${interfaceName}/accept_ra`, 0);
}

/**
 * Notices within seconds when an address moved to another container: neighbours are believed for
 * about 5 s and then asked once before they are looked for anew.
 */
export function checkNeighboursOften(interfaceName: string): void {
  setSysctl(`ipv4/neigh/${interfaceName}/base_reachable_time_ms`, 5000);
  setSysctl(`ipv4/neigh/${interfaceName}/delay_first_probe_time`, 2);
  setSysctl(`ipv4/neigh/${interfaceName}/ucast_solicit`, 1);
}

/** Lets the other addresses of a subnet stay when the first of them is deleted. */
export function keepSecondaryAddresses(interfaceName: string): void {
  setSysctl(`ipv4/conf/${interfaceName}/promote_secondaries`, 1);
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === code;
}
