import { type Pointer, read, toArrayBuffer } from "bun:ffi";
import { closeElsewhere, duplicateDescriptor } from "./descriptor.ts";
import { errnoText, libc } from "./libc.ts";
import { type LibraryOrigin, libnlName, openLibrary } from "./library.ts";
import { addressOf, pinnedBytes } from "./memory.ts";
import { SOL_NETLINK, SOL_SOCKET, setSocketOption, socketName } from "./socket.ts";
import { SystemError } from "./system-error.ts";

/** A netlink protocol: which part of the kernel answers. */
export const NETLINK_ROUTE = 0;
export const NETLINK_XFRM = 6;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

const openLibnl = () =>
  openLibrary(libnlName, {
    nl_socket_alloc: { args: [], returns: "ptr" },
    nl_socket_free: { args: ["ptr"], returns: "void" },
    nl_socket_set_buffer_size: { args: ["ptr", "i32", "i32"], returns: "i32" },
    nl_socket_set_nonblocking: { args: ["ptr"], returns: "i32" },
    nl_socket_add_membership: { args: ["ptr", "i32"], returns: "i32" },
    nl_socket_drop_membership: { args: ["ptr", "i32"], returns: "i32" },
    nl_socket_get_fd: { args: ["ptr"], returns: "i32" },
    nl_connect: { args: ["ptr", "i32"], returns: "i32" },
    nl_close: { args: ["ptr"], returns: "void" },
    nl_sendto: { args: ["ptr", "ptr", "u64"], returns: "i32" },
    nl_recv: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
    nl_geterror: { args: ["i32"], returns: "cstring" },
  });

let opened: ReturnType<typeof openLibnl> | undefined;

/** Opened at first use: most commands never talk to the kernel themselves. */
function libnl(): ReturnType<typeof openLibnl> {
  opened ??= openLibnl();
  return opened;
}

/** Whether netlink goes through the system's libnl or the carried copy. @throws SystemError */
export function libnlOrigin(): LibraryOrigin {
  return libnl().origin;
}

/** libnl's "try again" (`NLE_AGAIN`, netlink/errno.h): nothing to read now. */
const NLE_AGAIN = 4;
const EIO = 5;

/** How long the kernel may take to answer; it answers within the request, so this is a guard. */
const answerTimeoutSeconds = 10;

const sendBytes = 1 << 20;
/** As much fits into a socket's buffer in any case, whatever the kernel makes of `sendBytes`. */
const kernelsSendBytes = 128 << 10;

/**
 * One netlink socket of the network namespace in which the thread was when it was opened; from then
 * on it can be used from any namespace. Whole datagrams go out and come in; their meaning is
 * lib/host/netlink's.
 */
export class NetlinkSocket {
  readonly #libnl = libnl().symbols;
  readonly #socket: Pointer;
  readonly #sender = pinnedBytes(12);
  readonly #received = pinnedBytes(8);
  #sendBytes = kernelsSendBytes;
  #open = true;

  /**
   * @param protocol one of the `NETLINK_` numbers
   * @param receiveBytes the kernel's buffer for what waits to be read
   * @throws SystemError
   */
  constructor(protocol: number, receiveBytes = 1 << 20) {
    const socket = this.#libnl.nl_socket_alloc();
    if (typeof socket !== "number") throw new SystemError({ call: "nl_socket_alloc", errno: EIO });
    this.#socket = socket;
    try {
      this.#check(this.#libnl.nl_connect(socket, protocol), "nl_connect");
      this.#check(
        this.#libnl.nl_socket_set_buffer_size(socket, receiveBytes, sendBytes),
        "nl_socket_set_buffer_size",
      );
      this.#setOptions();
    } catch (error) {
      this.#libnl.nl_socket_free(socket);
      throw error;
    }
  }

  get descriptor(): number {
    return this.#libnl.nl_socket_get_fd(this.#socket);
  }

  /** By which the kernel knows this socket. @throws SystemError */
  get port(): number {
    const portAt = 4;
    const address = socketName(this.descriptor);
    return new DataView(address.buffer, address.byteOffset).getUint32(portAt, true);
  }

  /** What arrives while its buffer is full is dropped without a word. @throws SystemError */
  dropWhenFull(): void {
    const NETLINK_NO_ENOBUFS = 5;
    setSocketOption(this.descriptor, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1, "netlink option");
  }

  /**
   * Sends one datagram, which may hold several messages, to the kernel: of any length, if the process
   * may have such buffers. @throws SystemError
   */
  send(datagram: Uint8Array): void {
    if (datagram.length > this.#sendBytes) this.#enlargeSendBuffer(datagram.length);
    this.#check(this.#libnl.nl_sendto(this.#socket, datagram, datagram.length), "nl_sendto");
  }

  /** The next datagram; `undefined` when there is none (within the timeout, when blocking). */
  receive(): Uint8Array | undefined {
    const length = this.#libnl.nl_recv(
      this.#socket,
      addressOf(this.#sender),
      addressOf(this.#received),
      null,
    );
    if (length === -NLE_AGAIN || length === 0) return undefined;
    this.#check(length, "nl_recv");
    const buffer = read.ptr(addressOf(this.#received), 0) as Pointer;
    const copy = new Uint8Array(toArrayBuffer(buffer, 0, length)).slice();
    libc.free(buffer);
    return copy;
  }

  /** Also delivers what the kernel tells this multicast group. @throws SystemError */
  join(group: number): void {
    this.#check(
      this.#libnl.nl_socket_add_membership(this.#socket, group),
      "nl_socket_add_membership",
    );
  }

  /** What the kernel has told the group before is still delivered. @throws SystemError */
  leave(group: number): void {
    this.#check(
      this.#libnl.nl_socket_drop_membership(this.#socket, group),
      "nl_socket_drop_membership",
    );
  }

  /** From now on {@link receive} does not wait. @throws SystemError */
  setNonBlocking(): void {
    this.#check(this.#libnl.nl_socket_set_nonblocking(this.#socket), "nl_socket_set_nonblocking");
  }

  /** @param afterChanges of rules: the kernel waits there until those that went are forgotten */
  close(afterChanges = false): void {
    if (!this.#open) return;
    this.#open = false;
    const last = afterChanges ? duplicateDescriptor(this.descriptor) : undefined;
    this.#libnl.nl_close(this.#socket);
    this.#libnl.nl_socket_free(this.#socket);
    if (last !== undefined) closeElsewhere(last);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #setOptions(): void {
    const NETLINK_CAP_ACK = 10;
    const NETLINK_EXT_ACK = 11;
    const NETLINK_GET_STRICT_CHK = 12;
    const SO_RCVTIMEO = 20;
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
      setSocketOption(this.descriptor, SOL_NETLINK, option, 1, "netlink option");
    }
    const timeout = new Uint8Array(BigInt64Array.of(BigInt(answerTimeoutSeconds), 0n).buffer);
    setSocketOption(this.descriptor, SOL_SOCKET, SO_RCVTIMEO, timeout, "netlink timeout");
  }

  #enlargeSendBuffer(bytes: number): void {
    const SO_SNDBUFFORCE = 32;
    setSocketOption(this.descriptor, SOL_SOCKET, SO_SNDBUFFORCE, bytes, "netlink send buffer");
    this.#sendBytes = bytes;
  }

  #check(result: number, call: string): void {
    if (result >= 0) return;
    const detail = String(this.#libnl.nl_geterror(result)).toLowerCase();
    throw new SystemError({ call, errno: EIO, detail });
  }
}

/** The error that the kernel put into a netlink answer, with its own explanation when it gave one. */
export function netlinkError(errno: number, about: string, explanation: string): SystemError {
  const detail = explanation === "" ? errnoText(errno) : explanation;
  return new SystemError({ call: "netlink", errno, about, detail });
}
