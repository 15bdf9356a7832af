import type { Environment } from "./parse.ts";

/** What Docker's bridge is called on this host. */
export function dockerBridge({ DOCKER_BRIDGE }: Environment): string {
  return DOCKER_BRIDGE || "docker0";
}
