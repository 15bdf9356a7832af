import { checked, libc } from "./libc.ts";
import { addressOf, pinnedBytes } from "./memory.ts";

/** Sockets as the kernel offers them, for the families that the runtime has no door to. */

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOL_SOCKET = 1;
export const SOL_IP = 0;
export const SOL_UDP = 17;
export const SOL_IPV6 = 41;
export const SOL_PACKET = 263;
export const SOL_NETLINK = 270;

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/** Octets of `struct sockaddr_in`. */
export const sockaddrInBytes = 16;
/** Octets of `struct sockaddr_in6`. */
export const sockaddrIn6Bytes = 28;
/** Octets of `struct sockaddr_ll`. */
export const sockaddrLlBytes = 20;

/** Opens a non-blocking, close-on-exec socket in the thread's network namespace. @throws SystemError */
export function openSocket(family: number, type: number, protocol: number, about: string): number {
  return checked(
    libc.socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol),
    "socket",
    about,
  );
}

/** @throws SystemError */
export function bindSocket(descriptor: number, address: Uint8Array, about: string): void {
  checked(libc.bind(descriptor, address, address.length), "bind", about);
}

/** @throws SystemError */
export function connectSocket(descriptor: number, address: Uint8Array, about: string): void {
  checked(libc.connect(descriptor, address, address.length), "connect", about);
}

/** The local address in the form of the socket's family, at most 32 octets. @throws SystemError */
export function socketName(descriptor: number): Uint8Array {
  const address = pinnedBytes(32);
  const length = new Uint32Array([address.length]);
  checked(libc.getsockname(descriptor, address, addressOf(length)), "getsockname");
  return address.subarray(0, length[0]!);
}

/** @throws SystemError */
export function setSocketOption(
  descriptor: number,
  level: number,
  option: number,
  value: number | Uint8Array,
  about: string,
): void {
  const bytes = typeof value === "number" ? new Uint8Array(Int32Array.of(value).buffer) : value;
  checked(libc.setsockopt(descriptor, level, option, bytes, bytes.length), "setsockopt", about);
}

/** @throws SystemError */
export function socketOption(
  descriptor: number,
  level: number,
  option: number,
  about: string,
): number {
  const value = new Int32Array(new ArrayBuffer(4));
  const length = new Uint32Array([4]);
  checked(
    libc.getsockopt(descriptor, level, option, addressOf(value), addressOf(length)),
    "getsockopt",
    about,
  );
  return value[0]!;
}

/** The first `size` octets of an option that is a structure. @throws SystemError */
export function socketBytes(
  descriptor: number,
  level: number,
  option: number,
  size: number,
  about: string,
): DataView<ArrayBuffer> {
  const value = new DataView(pinnedBytes(size).buffer);
  const length = new Uint32Array([size]);
  checked(
    libc.getsockopt(descriptor, level, option, addressOf(value), addressOf(length)),
    "getsockopt",
    about,
  );
  return value;
}

/** What a packet socket has passed on and dropped since this was last asked. @throws SystemError */
export function socketStatistics(descriptor: number): { packets: number; drops: number } {
  const PACKET_STATISTICS = 6;
  const value = new Uint32Array(new ArrayBuffer(8));
  const length = new Uint32Array([8]);
  checked(
    libc.getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, addressOf(value), addressOf(length)),
    "getsockopt",
    "packet statistics",
  );
  return { packets: value[0]!, drops: value[1]! };
}

/** `argument` is read and written by the kernel. @throws SystemError */
export function controlDevice(
  descriptor: number,
  request: number,
  argument: Uint8Array,
  about: string,
): void {
  checked(libc.ioctl(descriptor, request, addressOf(argument)), "ioctl", about);
}

/** Sends one message on a bound or connected socket. @throws SystemError */
export function sendOne(descriptor: number, message: Uint8Array, about: string): void {
  checked(libc.send(descriptor, message, message.length, 0), "send", about);
}

/**
 * `path` is that of a file, or `@` and a name for one without.
 *
 *   struct sockaddr_un
 *   +-----------+--------------------------------------------------+
 *   | family: 2 | path, ended by a zero; or a zero and the name    |
 *   +-----------+--------------------------------------------------+
 */
export function sockaddrUn(path: string): Uint8Array<ArrayBuffer> {
  const isAbstract = path.startsWith("@");
  const text = new TextEncoder().encode(isAbstract ? path.slice(1) : path);
  const bytes = pinnedBytes(2 + text.length + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(text, isAbstract ? 3 : 2);
  return bytes;
}

/**
 *   struct sockaddr_in (16)
 *   +-----------+------------+---------------+-----------+
 *   | family: 2 | port: 2 BE | address: 4 BE | zeros: 8  |
 *   +-----------+------------+---------------+-----------+
 */
export function sockaddrIn(ip: number, port: number): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(sockaddrInBytes);
  writeSockaddrIn(new DataView(bytes.buffer), 0, ip, port);
  return bytes;
}

export function writeSockaddrIn(into: DataView, at: number, ip: number, port: number): void {
  into.setUint16(at, AF_INET, true);
  into.setUint16(at + 2, port);
  into.setUint32(at + 4, ip);
}

/**
 *   struct sockaddr_in6 (28)
 *   +-----------+------------+-----------------+-------------+-------------------+
 *   | family: 2 | port: 2 BE | flow: 4 (zeros) | address: 16 | scope: 4 (zeros)  |
 *   +-----------+------------+-----------------+-------------+-------------------+
 */
export function writeSockaddrIn6(
  into: DataView,
  at: number,
  octets: Uint8Array,
  port: number,
): void {
  into.setUint16(at, AF_INET6, true);
  into.setUint16(at + 2, port);
  for (let i = 0; i < 16; i++) into.setUint8(at + 8 + i, octets[i]!);
}

/**
 *   struct sockaddr_ll (20)
 *   +-----------+----------------+------------+-----------+----------+-----------+------------+
 *   | family: 2 | protocol: 2 BE | ifindex: 4 | hatype: 2 | pkttype: | halen: 1  | address: 8 |
 *   +-----------+----------------+------------+-----------+----------+-----------+------------+
 */
export function sockaddrLl(interfaceIndex: number, protocol: number): Uint8Array<ArrayBuffer> {
  const bytes = pinnedBytes(sockaddrLlBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, interfaceIndex, true);
  return bytes;
}
