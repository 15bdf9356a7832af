import { lstatSync, rmSync } from "node:fs";
import type { Hono } from "hono";
import { formatEndpoint, splitHostPort } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { browserRefusal } from "./guard.ts";

/** The largest body any route reads, with room to spare. */
const bodyBytesMax = 1 << 20;

/** How long a connection stays on which no request comes. */
const idleSeconds = 10;

/** How long a body may take: clients of this machine have it ready. */
const bodyWaitMs = 5000;

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
    const fetch = (request: Request) => answer(app, request);
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
    async fetch(request, self) {
      // Browsers reach TCP alone, so only here they have to be kept out.
      const refusal = isPublic ? undefined : browserRefusal(request.headers);
      if (refusal !== undefined) return refused(403, refusal);
      // An allocation may wait for hours; who sends no request, or no other, is cut off.
      self.timeout(request, 0);
      const response = await answer(app, request);
      self.timeout(request, idleSeconds);
      return response;
    },
  });
  const port = server.port ?? parts.port;
  return {
    address: formatEndpoint({ host: parts.host, port }),
    close: () => server.stop(true),
  };
}

/** What `app` says to a request, once all of its body is there. */
async function answer(app: Hono, request: Request): Promise<Response> {
  const { method, headers, signal } = request;
  const url = properUrl(request.url);
  if (request.body === null) return app.fetch(new Request(url, { method, headers, signal }));
  const body = await bodyInTime(request);
  if (body === undefined) return refused(408, "the rest of the request did not come in time");
  return app.fetch(new Request(url, { method, headers, signal, body }));
}

/** Undefined for one that does not end within {@link bodyWaitMs}. */
async function bodyInTime(request: Request): Promise<ArrayBuffer | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), bodyWaitMs);
  try {
    return await Promise.race([request.arrayBuffer(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Without a proper Host header, as in HTTP/1.0, there is a path and no URL: the path will do. */
function properUrl(url: string): string {
  if (URL.canParse(url)) return url;
  return `http://localhost/${url.replace(/^[a-z]+:\/\/[^/]*/, "").replace(/^\/+/, "")}`;
}

function refused(status: 403 | 408, sentence: string): Response {
  return new Response(`${sentence}\n`, {
    status,
    headers: {
      Connection: "close",
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    },
  });
}
