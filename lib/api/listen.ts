import { lstatSync, rmSync } from "node:fs";
import type { Hono } from "hono";
import { formatEndpoint, splitHostPort } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { browserRefusal } from "./guard.ts";

/** The largest body any route reads, with room to spare. */
const bodyBytesMax = 1 << 20;

/** No page with the source of an error for whoever causes one. */
const common = { maxRequestBodySize: bodyBytesMax, development: false } as const;

export interface Listener {
  /** `host:port`, or the path of a unix socket. */
  readonly address: string;
  close(): Promise<void>;
}

export interface ListenOptions {
  /**
   * Lets in who calls this host by a name of its own, and with it web pages: for what may be read
   * by anybody who can connect.
   */
  readonly isPublic?: boolean;
}

/**
 * Serves `app` on `host:port` or, for an absolute path, on a unix socket for root alone. A socket
 * file left by a dead router is replaced.
 *
 * @throws WeaveError `API_LISTEN`
 */
export function listen(app: Hono, address: string, options: ListenOptions = {}): Listener {
  try {
    return address.startsWith("/")
      ? listenUnix(app, address)
      : listenTcp(app, address, options.isPublic ?? false);
  } catch (cause) {
    throw new WeaveError("API_LISTEN", `cannot listen on ${address}: ${errorText(cause)}`, {
      remedy:
        "choose another address with --http-addr, --status-addr or --metrics-addr, or stop what " +
        "uses this one",
      cause,
    });
  }
}

function listenUnix(app: Hono, path: string): Listener {
  removeSocket(path);
  // The file must not be open to others for even a moment, so its mode cannot be set afterwards.
  const umask = process.umask(0o177);
  try {
    const fetch = (request: Request) => app.fetch(withProperUrl(request));
    const server = Bun.serve<undefined>(withoutIdleLimit({ ...common, unix: path, fetch }));
    return {
      address: path,
      async close() {
        await server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } finally {
    process.umask(umask);
  }
}

/**
 * An allocation may wait for hours, and on a unix socket Bun cannot lift the limit from a single
 * request. Its types know the option for TCP only. Who sends no request is cut off all the same.
 */
function withoutIdleLimit<T extends object>(options: T): T {
  return { ...options, idleTimeout: 0 };
}

/** A mistyped path must not cost anybody a file. */
function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error("a file is there that is no socket");
  rmSync(path);
}

function listenTcp(app: Hono, address: string, isPublic: boolean): Listener {
  const parts = splitHostPort(address);
  if (parts?.port === undefined) throw new Error("should be host:port or an absolute path");
  const server = Bun.serve<undefined>({
    ...common,
    // Else two routers could have the same port, and each every other request.
    reusePort: false,
    hostname: parts.host,
    port: parts.port,
    fetch(request, self) {
      // An allocation may wait for hours; who sends no request is cut off after ten seconds.
      self.timeout(request, 0);
      // Browsers reach TCP alone, so only here they have to be kept out.
      const refusal = isPublic ? undefined : browserRefusal(request.headers);
      return refusal === undefined ? app.fetch(withProperUrl(request)) : forbidden(refusal);
    },
  });
  const port = server.port ?? parts.port;
  return {
    address: formatEndpoint({ host: parts.host, port }),
    close: () => server.stop(true),
  };
}

/** Without a proper Host header, as in HTTP/1.0, there is a path and no URL: the path will do. */
function withProperUrl(request: Request): Request {
  if (URL.canParse(request.url)) return request;
  const path = request.url.replace(/^[a-z]+:\/\/[^/]*/, "").replace(/^\/+/, "");
  return new Request(`http://localhost/${path}`, request);
}

function forbidden(sentence: string): Response {
  return new Response(`${sentence}\n`, {
    status: 403,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    },
  });
}
