import packet, { type DecodedPacket } from "dns-packet";
import { DnsStream, withLength } from "../../lib/wire/dns-stream.ts";

export const loopback = "127.0.0.1";

export function queryFor(name: string, type = "A", udpSize?: number): Uint8Array {
  return packet.encode({
    type: "query",
    id: 1 + (name.length % 1000),
    flags: packet.RECURSION_DESIRED,
    questions: [{ type: type as "A", name }],
    additionals:
      udpSize === undefined
        ? []
        : [
            {
              type: "OPT",
              name: ".",
              udpPayloadSize: udpSize,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  });
}

export function decode(bytes: Uint8Array): DecodedPacket & { rcode: string } {
  const message = packet.decode(Buffer.from(bytes));
  // The library sets the field without declaring it.
  return Object.assign(message, { rcode: rcodes[bytes[3]! & 15] ?? "?" });
}

const rcodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** One query over UDP, and the first datagram that comes back. */
export async function askUdp(port: number, query: Uint8Array, host = loopback) {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const socket = await Bun.udpSocket({
    hostname: host.includes(":") ? "::" : "0.0.0.0",
    connect: { hostname: host, port },
    binaryType: "uint8array",
    socket: { data: (_socket, bytes) => resolve(new Uint8Array(bytes)) },
  });
  socket.send(query);
  const reply = await promise;
  socket.close();
  return decode(reply);
}

/** A connection over TCP that collects replies. */
export class TcpClient {
  readonly replies: Uint8Array[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Bun.Socket;
  readonly #waiting: Array<{ count: number; resolve: () => void }> = [];

  private constructor(socket: Bun.Socket, closed: Promise<void>) {
    this.#socket = socket;
    this.closed = closed;
  }

  static async open(port: number): Promise<TcpClient> {
    const stream = new DnsStream();
    const closed = Promise.withResolvers<void>();
    const early: Uint8Array[] = [];
    let client: TcpClient | undefined;
    const socket = await Bun.connect({
      hostname: loopback,
      port,
      socket: {
        data(_socket, bytes) {
          for (const message of stream.push(bytes)) {
            if (client === undefined) early.push(message);
            else client.#heard(message);
          }
        },
        close: () => closed.resolve(),
        error: () => closed.resolve(),
      },
    });
    client = new TcpClient(socket, closed.promise);
    for (const message of early) client.#heard(message);
    return client;
  }

  send(...queries: readonly Uint8Array[]): void {
    for (const query of queries) this.#socket.write(withLength(query));
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Resolves when `count` replies have come in all. */
  replied(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    this.#check();
    return promise;
  }

  close(): void {
    this.#socket.terminate();
  }

  #heard(message: Uint8Array): void {
    this.replies.push(message);
    this.#check();
  }

  #check(): void {
    for (const { count, resolve } of this.#waiting) if (this.replies.length >= count) resolve();
  }
}

export async function askTcp(port: number, query: Uint8Array) {
  const client = await TcpClient.open(port);
  client.send(query);
  await client.replied(1);
  client.close();
  return decode(client.replies[0]!);
}
