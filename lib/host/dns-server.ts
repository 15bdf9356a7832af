import type { Socket, TCPSocketListener, udp } from "bun";
import { SOL_SOCKET, setSocketOption } from "../../ffi/socket.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import { errorText, WeaveError } from "../base/errors.ts";
import type { Cancel, Log, World } from "../base/world.ts";
import { Forwarder } from "../dns/forwarder.ts";
import type { DnsResponder } from "../dns/responder.ts";
import type { Transport } from "../dns/truncation.ts";
import { type DnsServerStats, DnsStats } from "./dns-stats.ts";
import { DnsTcpClient } from "./dns-tcp-client.ts";
import { UpstreamSockets } from "./dns-upstream.ts";
import { machineWorld } from "./machine-world.ts";
import { OwnAddresses } from "./own-addresses.ts";
import type { ResolvConfFile } from "./resolv-conf-file.ts";

export const tcpClientsMax = 256;

/** Room for questions while something else runs: some thousands, where the kernel gives hundreds. */
const questionsBytes = 2 << 20;

export interface DnsServerOptions {
  /** IP address to listen at. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly responder: DnsResponder;
  readonly upstreams: ResolvConfFile;
  /** Read time-out of one upstream server when the resolver file gives none. */
  readonly fallbackTimeoutMs: number;
  readonly log: Log;
}

type TcpSocket = Socket<DnsTcpClient | undefined>;
type UdpSocket = udp.Socket<"uint8array">;

/** weaveDNS at one address, over UDP and TCP (dns §6.1). */
export class DnsServer {
  readonly #world: World;
  readonly #options: DnsServerOptions;
  readonly #stats = new DnsStats();
  readonly #forwarder: Forwarder;
  readonly #clients = new Set<TcpSocket>();
  #tcp: TCPSocketListener<DnsTcpClient | undefined> | undefined;
  #udp: UdpSocket | undefined;

  /** @throws WeaveError `DNS_LISTEN`, for a caller that shows it and goes on without */
  static async listen(options: DnsServerOptions): Promise<DnsServer> {
    const server = new DnsServer(options);
    try {
      await server.#open();
    } catch (cause) {
      await server.close();
      const at = formatEndpoint({ host: options.address, port: options.port });
      throw new WeaveError("DNS_LISTEN", `cannot listen on ${at}: ${errorText(cause)}`, {
        remedy: "stop the name server that holds the port, or set --dns-listen-address",
        cause,
      });
    }
    return server;
  }

  private constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#world = machineWorld(options.log);
    const { upstreams, responder, fallbackTimeoutMs } = options;
    const io = new UpstreamSockets(this.#world);
    const own = new OwnAddresses(this.#world);
    this.#forwarder = new Forwarder(this.#world, io, upstreams.current(), responder, {
      fallbackTimeoutMs,
      isOwnAddress: (host) => own.has(host),
    });
  }

  get port(): number {
    return this.#tcp?.port ?? this.#options.port;
  }

  stats(): DnsServerStats {
    const now = { forwarding: this.#forwarder.running, tcpClients: this.#clients.size };
    return this.#stats.snapshot(now);
  }

  /** Frees the address; queries under way end without reply. */
  async close(): Promise<void> {
    this.#forwarder.close();
    this.#udp?.close();
    this.#tcp?.stop(true);
    for (const client of this.#clients) client.terminate();
  }

  async #open(): Promise<void> {
    this.#tcp = this.#listenTcp();
    this.#udp = await Bun.udpSocket({
      hostname: this.#options.address,
      port: this.port,
      binaryType: "uint8array",
      socket: {
        data: (socket, bytes, port, host) => this.#datagram(socket, bytes, port, host),
        // A reply that a client's host refused is no concern of anybody else.
        error: (_socket, error) => this.#options.log.debug(`dns: udp: ${errorText(error)}`),
      },
    });
    this.#makeRoom(this.#udp);
  }

  /** Whoever may not ask for more than the kernel's default has that. */
  #makeRoom(socket: UdpSocket): void {
    const SO_RCVBUFFORCE = 33;
    // The runtime names the descriptor, if not in its types.
    if (!("fd" in socket) || typeof socket.fd !== "number" || socket.fd < 0) return;
    try {
      setSocketOption(
        socket.fd,
        SOL_SOCKET,
        SO_RCVBUFFORCE,
        questionsBytes,
        "buffer for questions",
      );
    } catch (error) {
      this.#options.log.debug(`dns: udp: ${errorText(error)}`);
    }
  }

  #listenTcp(): TCPSocketListener<DnsTcpClient | undefined> {
    return Bun.listen<DnsTcpClient | undefined>({
      hostname: this.#options.address,
      port: this.#options.port,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        binaryType: "uint8array",
        open: (socket) => this.#accept(socket),
        data: (socket, bytes) => socket.data?.data(bytes),
        drain: (socket) => socket.data?.drain(),
        end: (socket) => socket.data?.noMoreQueries(),
        close: (socket) => this.#closed(socket),
        error: (socket, error) => {
          this.#options.log.debug(`dns: tcp: ${errorText(error)}`);
          socket.terminate();
        },
      },
    });
  }

  #accept(socket: TcpSocket): void {
    if (this.#clients.size >= tcpClientsMax) {
      this.#stats.tcpRefused();
      socket.terminate();
      return;
    }
    this.#clients.add(socket);
    const from = socket.remoteAddress;
    socket.data = new DnsTcpClient(this.#world, socket, (query, reply) =>
      this.#answer(query, "tcp", from, reply),
    );
  }

  #closed(socket: TcpSocket): void {
    this.#clients.delete(socket);
    socket.data?.closed();
  }

  #datagram(socket: UdpSocket, query: Uint8Array, port: number, host: string): void {
    this.#answer(query, "udp", host, (bytes) => {
      if (bytes === undefined || socket.closed) return;
      if (!this.#send(socket, bytes, port, host)) this.#stats.result("unsent");
    });
  }

  /** Like any datagram a reply may be lost: to a full buffer, or because there is no way back. */
  #send(socket: UdpSocket, bytes: Uint8Array, port: number, host: string): boolean {
    try {
      return socket.send(bytes, port, host);
    } catch (error) {
      this.#options.log.debug(`dns: reply to ${host}: ${errorText(error)}`);
      return false;
    }
  }

  /** `reply` is called once unless cancelled; without octets for what gets none. */
  #answer(
    bytes: Uint8Array,
    transport: Transport,
    from: string,
    reply: (bytes: Uint8Array | undefined) => void,
  ): Cancel {
    const startMs = performance.now();
    this.#stats.query(transport);
    const outcome = this.#options.responder.handle(bytes, transport);
    if (outcome.kind === "forward") {
      // The list of servers is brought up to date by looking at it.
      this.#options.upstreams.current();
      return this.#forwarder.forward(outcome, transport, from, (answer, result) => {
        this.#stats.replied(result, performance.now() - startMs);
        reply(answer);
      });
    }
    if (outcome.kind === "reply") {
      this.#stats.replied(outcome.result, performance.now() - startMs);
      reply(outcome.bytes);
    } else {
      this.#stats.result("ignored");
      reply(undefined);
    }
    return () => {};
  }
}
