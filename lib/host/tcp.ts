import { lookup } from "node:dns/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatIp, tryParseHostIp, tryParseIp } from "../base/ip.ts";
import type { Cancel } from "../base/world.ts";
import {
  type ByteStream,
  type ByteStreamHandlers,
  remoteSilent,
  type Transport,
} from "../mesh/transport.ts";
import { whyUnreachable } from "./reachability.ts";
import { keepSegmentsSmall } from "./tcp-segments.ts";
import { roundTripMs, watchRemote } from "./tcp-watch.ts";

/** A host that answers nothing is given up after this time, not after the kernel's two minutes. */
const dialWaitMs = 10_000;

/** Canonical text, so that `::ffff:10.0.0.1` on a dual socket is the IPv4 peer it is. */
function endpointOf(host: string | undefined, port: number | undefined): Endpoint {
  const plain = (host ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
  const address = tryParseIp(plain);
  return { host: address === undefined ? plain : formatIp(address), port: port ?? 0 };
}

/** A TCP connection as the mesh sees it. */
class TcpStream implements ByteStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #socket: Socket;
  #handlers: ByteStreamHandlers | undefined;
  #error: WeaveError | undefined;
  #closedByUs = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = endpointOf(socket.localAddress, socket.localPort);
    this.remote = endpointOf(socket.remoteAddress, socket.remotePort);
    socket.setNoDelay(true);
    if (!socket.destroyed) watchRemote(socket);
    socket.removeAllListeners("error");
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      this.#error = streamError(cause);
    });
  }

  get backlogBytes(): number {
    return this.#socket.writableLength;
  }

  get roundTripMs(): number | undefined {
    return roundTripMs(this.#socket);
  }

  /** What is written in one go leaves in one go: each segment wakes a process at the other end. */
  write(bytes: Uint8Array): void {
    if (this.#closedByUs || this.#socket.destroyed) return;
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      queueMicrotask(() => this.#socket.uncork());
    }
    this.#socket.write(bytes);
  }

  end(): void {
    if (this.#closedByUs) return;
    this.#closedByUs = true;
    this.#socket.end(() => this.#socket.destroy());
  }

  reset(): void {
    this.#closedByUs = true;
    this.#socket.resetAndDestroy();
  }

  listen(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
    this.#socket.on("data", (bytes: Buffer) => {
      // A `Buffer` shares its memory when it is sliced; the protocols expect copies.
      const { buffer, byteOffset, byteLength } = bytes;
      if (!this.#closedByUs) handlers.data(new Uint8Array(buffer, byteOffset, byteLength));
    });
    this.#socket.on("drain", () => handlers.drained?.());
    // Half-closed connections are of no use to a protocol whose both sides talk.
    this.#socket.on("end", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#closed());
    if (this.#socket.destroyed) queueMicrotask(() => this.#closed());
  }

  #closed(): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed(this.#closedByUs ? undefined : this.#error);
  }
}

function streamError(cause: NodeJS.ErrnoException): WeaveError {
  if (cause.code === "ETIMEDOUT") return remoteSilent(cause);
  return new WeaveError(`TCP_${cause.code ?? "ERROR"}`, cause.message, { cause });
}

/** The host's TCP and resolver. `bindHost` is the source address of dialled connections. */
export class TcpTransport implements Transport {
  readonly #bindHost: string;

  constructor(bindHost: string) {
    this.#bindHost = bindHost;
  }

  dial(
    to: Endpoint,
    handlers: { opened(stream: ByteStream): void; failed(error: WeaveError): void },
  ): Cancel {
    const socket = connect({
      host: to.host,
      port: to.port,
      ...(this.#bindHost === "" ? {} : { localAddress: this.#bindHost }),
    });
    let settled = false;
    const settle = (): boolean => {
      clearTimeout(timer);
      const first = !settled;
      settled = true;
      return first;
    };
    const timer = setTimeout(() => {
      if (!settle()) return;
      socket.destroy();
      handlers.failed(dialError(to, "TCP_DIAL_TIMEOUT", "no answer within 10 s", undefined));
    }, dialWaitMs);
    socket.on("connect", () => {
      if (settle()) handlers.opened(new TcpStream(socket));
    });
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      if (!settle()) return;
      const name = this.#refusal(to, cause.code);
      const why = reasons[name ?? ""] ?? errorText(cause);
      handlers.failed(dialError(to, `TCP_${name ?? "ERROR"}`, why, cause));
    });
    return () => {
      if (settle()) socket.destroy();
    };
  }

  /** By the name of an errno; the kernel knows better than the runtime why it is one. */
  #refusal(to: Endpoint, code: string | undefined): string | undefined {
    const address = tryParseHostIp(to.host);
    if (address === undefined || !["ECONNREFUSED", "EINVAL"].includes(code ?? "")) return code;
    return whyUnreachable(address, tryParseHostIp(this.#bindHost)) ?? code;
  }

  resolve(host: string, done: (addresses: string[] | WeaveError) => void): Cancel {
    let cancelled = false;
    lookup(host, { all: true, order: "verbatim" }).then(
      (found) => {
        if (!cancelled) done(found.map((each) => each.address));
      },
      (cause: unknown) => {
        if (cancelled) return;
        const remedy = "check the name, or give an IP address";
        done(new WeaveError("RESOLVE_FAILED", `lookup ${host}: no such host`, { remedy, cause }));
      },
    );
    return () => {
      cancelled = true;
    };
  }
}

/** The kernel's reasons in the words that operators search for. */
const reasons: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "this host has no address of that family",
};

function dialError(to: Endpoint, code: string, why: string, cause: unknown): WeaveError {
  return new WeaveError(code, `dial tcp ${formatEndpoint(to)}: connect: ${why}`, {
    remedy: "see that the peer runs and that its TCP port can be reached",
    cause,
  });
}

export interface TcpListener {
  readonly endpoint: Endpoint;
  /** Ends the connections that were accepted as well. */
  close(): Promise<void>;
  /** Leaves the port to another process, and the connections as they are. */
  retire(): void;
}

/**
 * Accepts connections on `host` (empty: every address of both families) and hands them out.
 *
 * @throws WeaveError `TCP_LISTEN`
 */
export function listenTcp(
  at: Endpoint,
  accepted: (stream: ByteStream) => void,
): Promise<TcpListener> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    accepted(new TcpStream(socket));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(at, cause)));
    server.listen({ port: at.port, ...(at.host === "" ? {} : { host: at.host }) }, () => {
      keepSegmentsSmall(server);
      resolve({
        endpoint: boundTo(server),
        close: () => closeServer(server, open),
        retire: () => void server.close(),
      });
    });
  });
}

function cannotListen({ host, port }: Endpoint, cause: NodeJS.ErrnoException): WeaveError {
  const sentence = `cannot listen on TCP ${host || "*"}:${port}`;
  if (cause.code === "EADDRINUSE") {
    const remedy =
      "stop what uses the port, or choose another with --port; a host with a router of Weave " +
      "Net 2.x is taken over by 'weave adopt'";
    return new WeaveError("TCP_LISTEN", sentence, { remedy, cause });
  }
  const isElsewhere = cause.code === "EADDRNOTAVAIL";
  return new WeaveError(
    "TCP_LISTEN",
    isElsewhere ? `${sentence}: this host has no such address` : `${sentence}: ${cause.message}`,
    { remedy: "choose another address with --host, or another port with --port", cause },
  );
}

/** Whether {@link listenTcp} would succeed at this moment. @throws WeaveError `TCP_LISTEN` */
export async function checkTcpFree(at: Endpoint): Promise<void> {
  const listener = await listenTcp(at, (stream) => stream.reset());
  await listener.close();
}

function boundTo(server: Server): Endpoint {
  const address = server.address();
  return typeof address === "object" && address !== null
    ? endpointOf(address.address, address.port)
    : { host: "", port: 0 };
}

function closeServer(server: Server, open: Iterable<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
