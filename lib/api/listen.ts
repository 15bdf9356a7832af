import { chmodSync, rmSync } from "node:fs";
import { Hono } from "hono";
import { splitHostPort } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { refuseBrowsers } from "./guard.ts";

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
  try {
    return address.startsWith("/") ? listenUnix(app, address) : listenTcp(app, address);
  } catch (cause) {
    throw new WeaveError("API_LISTEN", `cannot listen on ${address}: ${errorText(cause)}`, {
      remedy: "choose another address with --http-addr or --status-addr, or stop what uses it",
      cause,
    });
  }
}

function listenUnix(app: Hono, path: string): Listener {
  rmSync(path, { force: true });
  const server = Bun.serve({ ...serving(app), unix: path });
  chmodSync(path, 0o600);
  return {
    address: path,
    async close() {
      await server.stop(true);
      rmSync(path, { force: true });
    },
  };
}

function listenTcp(app: Hono, address: string): Listener {
  const parts = splitHostPort(address);
  if (parts?.port === undefined) throw new Error("should be host:port or an absolute path");
  // Browsers reach TCP alone, so only here they have to be kept out.
  const guarded = new Hono().use(refuseBrowsers).route("/", app);
  const server = Bun.serve({ ...serving(guarded), hostname: parts.host, port: parts.port });
  return { address, close: () => server.stop(true) };
}

function serving(app: Hono) {
  return {
    maxRequestBodySize: bodyBytesMax,
    development: false,
    fetch(request: Request, server: Bun.Server<undefined>): Response | Promise<Response> {
      // An allocation may wait for hours for a quorum: a silent connection is left alone.
      server.timeout(request, 0);
      return app.fetch(request);
    },
  };
}
