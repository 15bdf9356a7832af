import type { Endpoint } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Cancel, World } from "../base/world.ts";
import type { Transport } from "../dns/truncation.ts";
import type { UpstreamIo } from "../dns/upstream-query.ts";
import { DnsStream, withLength } from "../wire/dns-stream.ts";

const connectMs = 2000;

interface Handlers {
  reply(bytes: Uint8Array): void;
  failed(error: WeaveError): void;
}

interface Closable {
  close(): void;
}

/**
 * Queries to other name servers, each from a socket of its own: a fresh source port makes replies
 * hard to forge, and a connected socket hears at once when nobody listens.
 */
export class UpstreamSockets implements UpstreamIo {
  readonly #world: Pick<World, "after">;

  constructor(world: Pick<World, "after">) {
    this.#world = world;
  }

  exchange(server: Endpoint, transport: Transport, query: Uint8Array, handlers: Handlers): Cancel {
    let socket: Closable | undefined;
    let cancelled = false;
    const heard: Handlers = {
      reply: (bytes) => {
        if (!cancelled) handlers.reply(bytes);
      },
      failed: (error) => {
        stopTimer();
        if (!cancelled) handlers.failed(error);
      },
    };
    const stopTimer = this.#world.after(connectMs, () => {
      if (socket === undefined) heard.failed(new WeaveError("DNS_UPSTREAM", "cannot connect"));
    });
    const opening = transport === "udp" ? openUdp : openTcp;
    opening(server, query, heard).then(
      (opened) => {
        stopTimer();
        if (cancelled) opened.close();
        else socket = opened;
      },
      (cause: unknown) => heard.failed(new WeaveError("DNS_UPSTREAM", errorText(cause), { cause })),
    );
    return () => {
      cancelled = true;
      stopTimer();
      socket?.close();
    };
  }
}

async function openUdp(server: Endpoint, query: Uint8Array, heard: Handlers): Promise<Closable> {
  const socket = await Bun.udpSocket({
    // The family of the local end must be that of the server.
    hostname: server.host.includes(":") ? "::" : "0.0.0.0",
    connect: { hostname: server.host, port: server.port },
    binaryType: "uint8array",
    socket: {
      data: (_socket, bytes) => heard.reply(bytes),
      error: () => heard.failed(new WeaveError("DNS_UPSTREAM", "nobody listens there")),
    },
  });
  try {
    socket.send(query);
  } catch (refused) {
    // By a packet filter, for one; nobody else would close it.
    socket.close();
    throw refused;
  }
  return { close: () => socket.close() };
}

async function openTcp(server: Endpoint, query: Uint8Array, heard: Handlers): Promise<Closable> {
  const stream = new DnsStream();
  const socket = await Bun.connect({
    hostname: server.host,
    port: server.port,
    socket: {
      binaryType: "uint8array",
      data(_socket, bytes) {
        for (const message of stream.push(bytes)) heard.reply(message);
      },
      error: (_socket, cause) =>
        heard.failed(new WeaveError("DNS_UPSTREAM", errorText(cause), { cause })),
      close: () => heard.failed(new WeaveError("DNS_UPSTREAM", "connection closed")),
    },
  });
  // A query is far smaller than any socket buffer, so a fresh one takes it whole.
  socket.write(withLength(query));
  return { close: () => socket.terminate() };
}
