import { chmodSync, rmSync } from "node:fs";
import type { Hono } from "hono";
import { splitHostPort } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";

/** The largest body any route reads, with room to spare. */
const bodyBytesMax = 1 << 20;

export interface Listener {
  /** `host:port`, or the path of a unix socket. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `app` on `host:port` or, for an absolute path, on a unix socket for root alone. A socket
 * file left by a dead router is replaced.
 *
 * @throws WeaveError `API_LISTEN`
 */
export function listen(app: Hono, address: string): Listener {
  // An allocation may wait for hours for a quorum, so idle connections are left alone.
  const options = { fetch: app.fetch, maxRequestBodySize: bodyBytesMax, development: false };
  try {
    if (address.startsWith("/")) {
      rmSync(address, { force: true });
      const server = Bun.serve({ ...options, unix: address });
      chmodSync(address, 0o600);
      return { address, close: () => close(server, address) };
    }
    const parts = splitHostPort(address);
    if (parts?.port === undefined) throw new Error("should be host:port or an absolute path");
    const server = Bun.serve({
      ...options,
      hostname: parts.host,
      port: parts.port,
      idleTimeout: 0,
    });
    return { address, close: () => close(server, undefined) };
  } catch (cause) {
    throw new WeaveError("API_LISTEN", `cannot listen on ${address}`, {
      remedy: "choose another address with --http-addr or --status-addr, or stop what uses it",
      cause,
    });
  }
}

async function close(server: { stop(now: boolean): Promise<void> }, path?: string): Promise<void> {
  await server.stop(true);
  if (path !== undefined) rmSync(path, { force: true });
}
