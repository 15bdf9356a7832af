import { expect } from "bun:test";
import { readSync } from "node:fs";
import { closeDescriptor } from "../../ffi/descriptor.ts";
import { bindSocket, connectSocket, openSocket, sendOne } from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";
import { formatHostIp, type HostIp, type IpFamily } from "../../lib/base/ip.ts";
import { socketAddress, udpByIpv4, udpByIpv6 } from "../../lib/host/udp-family.ts";
import type { LabPod } from "./pod-lab.ts";
import { keepToLink } from "./pod-probes.ts";
import { eventually } from "./shell.ts";

export interface TalkOptions {
  readonly protocol: "TCP" | "UDP";
  readonly family?: IpFamily;
  /** The address that the client asks for; absent: that of the server. TCP alone. */
  readonly by?: HostIp;
}

export type TalkEnd = "client" | "server";

interface Speaker extends Disposable {
  /** What cannot be sent is lost. */
  say(text: string): void;
  /** All that has come. */
  heard(): string;
}

/** A connection between two pods, at which both ends speak when they are told to, and listen. */
export class PodTalk implements Disposable {
  readonly #ends: Readonly<Record<TalkEnd, Speaker>>;

  private constructor(
    readonly port: number,
    ends: Readonly<Record<TalkEnd, Speaker>>,
  ) {
    this.#ends = ends;
  }

  /** Resolves when each end has heard the other one. */
  static async begin(
    from: LabPod,
    to: LabPod,
    port: number,
    { protocol, family = 4, by }: TalkOptions,
  ): Promise<PodTalk> {
    const [near, far] = family === 4 ? [from.ipv4, to.ipv4] : [from.ipv6, to.ipv6];
    const server =
      protocol === "TCP"
        ? new StreamServer(to, far, port)
        : new Socket(to, "UDP", { own: [far, port], peer: [near, port] });
    const ownPort = protocol === "TCP" ? 0 : port;
    const client = new Socket(from, protocol, { own: [near, ownPort], peer: [by ?? far, port] });
    const talk = new PodTalk(port, { client, server });
    for (const [end, other] of bothWays) {
      await eventually(
        "the connection",
        async () => {
          talk.say(end, "?\n");
          return talk.heard(other);
        },
        (text) => text.includes("?"),
      );
    }
    return talk;
  }

  say(end: TalkEnd, text: string): void {
    this.#ends[end].say(text);
  }

  /** All that the other end has said, as far as it came. */
  heard(end: TalkEnd): string {
    return this.#ends[end].heard();
  }

  async hears(end: TalkEnd, text: string): Promise<void> {
    await eventually(
      `${text} at the ${end}`,
      async () => this.heard(end),
      (heard) => heard.includes(text),
    );
  }

  [Symbol.dispose](): void {
    for (const end of Object.values(this.#ends)) end[Symbol.dispose]();
  }
}

/** Who speaks, and who is to hear it. */
const bothWays = [
  ["client", "server"],
  ["server", "client"],
] as const;

/** Both ends say something at a connection that was cut, and then at another one, where it arrives. */
export async function mustBeCut(cut: PodTalk, other: PodTalk): Promise<void> {
  for (const end of ["client", "server"] as const) {
    cut.say(end, "lost");
    other.say(end, "through");
  }
  for (const end of ["client", "server"] as const) {
    await other.hears(end, "through");
    expect(cut.heard(end)).not.toContain("lost");
  }
}

export async function mustGoOn(talk: PodTalk): Promise<void> {
  for (const [end, other] of bothWays) {
    talk.say(end, "again");
    await talk.hears(other, "again");
  }
}

type At = readonly [address: HostIp, port: number];

class Socket implements Speaker {
  readonly #descriptor: number;
  #heard = "";

  constructor(
    { namespace }: LabPod,
    protocol: TalkOptions["protocol"],
    { own, peer }: { readonly own: At; readonly peer: At },
  ) {
    const kind = typeof own[0] === "number" ? udpByIpv4 : udpByIpv6;
    const type = protocol === "TCP" ? 1 : 2;
    this.#descriptor = namespace.run(() => {
      const socket = openSocket(kind.domain, type, 0, "talk");
      keepToLink(socket, own[0]);
      bindSocket(socket, socketAddress(kind, ...own), "talk");
      try {
        connectSocket(socket, socketAddress(kind, ...peer), "talk");
      } catch (error) {
        if (!isSystemError(error, "EINPROGRESS")) throw error;
      }
      return socket;
    });
  }

  say(text: string): void {
    try {
      sendOne(this.#descriptor, new TextEncoder().encode(text), "talk");
    } catch (error) {
      if (!isSystemError(error, "EAGAIN", "ENOTCONN", "ECONNREFUSED")) throw error;
    }
  }

  heard(): string {
    const buffer = new Uint8Array(65_536);
    try {
      for (let octets = 1; octets > 0; ) {
        octets = readSync(this.#descriptor, buffer);
        this.#heard += new TextDecoder().decode(buffer.subarray(0, octets));
      }
    } catch {
      // There is nothing more for now.
    }
    return this.#heard;
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
  }
}

/** Speaks with whoever has connected. */
class StreamServer implements Speaker {
  readonly #server: { stop(closesAll: boolean): void };
  #client: { write(text: string): number } | undefined;
  #heard = "";

  constructor({ namespace }: LabPod, address: HostIp, port: number) {
    this.#server = namespace.run(() =>
      Bun.listen({
        ...{ hostname: formatHostIp(address), port },
        socket: {
          open: (socket) => {
            this.#client = socket;
          },
          data: (_socket, data) => {
            this.#heard += data.toString();
          },
        },
      }),
    );
  }

  say(text: string): void {
    this.#client?.write(text);
  }

  heard(): string {
    return this.#heard;
  }

  [Symbol.dispose](): void {
    this.#server.stop(true);
  }
}
