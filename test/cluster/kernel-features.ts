import { readFileSync } from "node:fs";

/** Whether programs can have sockets of SCTP: the kernel lists the protocols that it has sockets of. */
export function kernelHasSctp(): boolean {
  return /^SCTP /m.test(readFileSync("/proc/net/protocols", "utf8"));
}
