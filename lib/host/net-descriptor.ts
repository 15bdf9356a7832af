import type { Server, Socket } from "node:net";

/** The runtime names the descriptor of what is open, if not in its types. */
export function descriptorOf(open: Socket | Server): number | undefined {
  if ("destroyed" in open && open.destroyed) return undefined;
  if (!("_handle" in open)) return undefined;
  const handle = open._handle;
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}
