import { lookup } from "node:dns/promises";
import { WeaveError } from "../../../base/errors.ts";
import { UnixDatagram } from "../../../host/unix-datagram.ts";
import { countedFrame } from "../../../wire/syslog-message.ts";
import type { SyslogTarget } from "./syslog-target.ts";

/** A way to a receiver that stands. */
export interface SyslogDoor extends Disposable {
  /** False while there is no room: the message is to be given again. @throws Error when it is gone */
  send(message: Uint8Array): boolean;
}

/** How long a receiver may take to accept a connection. */
const connectMaxMs = 10_000;

/** @throws Error when nobody receives there */
export async function openSyslogDoor(target: SyslogTarget): Promise<SyslogDoor> {
  if (target.kind === "unix") return new UnixDatagram(target.path);
  return target.kind === "udp" ? openUdp(target) : openTcp(target);
}

interface Remote {
  readonly host: string;
  readonly port: number;
}

/** One message a datagram (RFC 5426). */
async function openUdp({ host, port }: Remote): Promise<SyslogDoor> {
  const { address, family } = await lookup(host);
  const socket = await Bun.udpSocket({
    ...(family === 6 && { hostname: "::" }),
    connect: { hostname: address, port },
    // Nobody there: UDP does not promise that anybody is.
    socket: { error() {} },
  });
  return {
    send: (message) => socket.send(message),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Messages with their lengths before them (RFC 6587, section 3.4.1). */
async function openTcp({ host, port }: Remote): Promise<SyslogDoor> {
  let rest: Uint8Array = new Uint8Array();
  let end: WeaveError | undefined;
  const ended = (reason: string): void => {
    end ??= new WeaveError("SYSLOG_ENDED", reason);
  };
  const sendRest = (by: { write(octets: Uint8Array): number }): void => {
    if (rest.length > 0) rest = rest.subarray(Math.max(0, by.write(rest)));
  };
  const connecting = Bun.connect({
    hostname: host,
    port,
    socket: {
      data() {},
      // Also when nothing follows: the last message is not to end in the middle.
      drain: sendRest,
      end: () => ended("the receiver has closed the connection"),
      close: () => ended("the connection is closed"),
      error: (_, error) => ended(error.message),
    },
  });
  const socket = await inTime(connecting);
  return {
    send(message) {
      if (end !== undefined) throw end;
      sendRest(socket);
      if (rest.length > 0) return false;
      const frame = countedFrame(message);
      rest = frame.subarray(Math.max(0, socket.write(frame)));
      return true;
    },
    [Symbol.dispose]: () => socket.end(),
  };
}

async function inTime(connecting: Promise<Bun.Socket<undefined>>): Promise<Bun.Socket<undefined>> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new WeaveError("SYSLOG_SILENT", `no connection within ${connectMaxMs / 1000} s`));
    void connecting.then((socket) => socket.end()).catch(() => {});
  }, connectMaxMs);
  try {
    return await Promise.race([connecting, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
