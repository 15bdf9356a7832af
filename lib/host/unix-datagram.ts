import { closeDescriptor } from "../../ffi/descriptor.ts";
import {
  AF_UNIX,
  connectSocket,
  openSocket,
  SOCK_DGRAM,
  sendOne,
  sockaddrUn,
} from "../../ffi/socket.ts";
import { isSystemError } from "../../ffi/system-error.ts";

/** A way to whoever receives datagrams at a path of this machine, which is not waited for. */
export class UnixDatagram implements Disposable {
  readonly #descriptor: number;
  readonly #path: string;

  /** @param path of a file, or `@` and a name. @throws SystemError when nobody receives there */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSocket(AF_UNIX, SOCK_DGRAM, 0, path);
    try {
      connectSocket(this.#descriptor, sockaddrUn(path), path);
    } catch (error) {
      closeDescriptor(this.#descriptor);
      throw error;
    }
  }

  /** False while the receiver has no room. @throws SystemError when it is gone */
  send(message: Uint8Array): boolean {
    try {
      sendOne(this.#descriptor, message, this.#path);
      return true;
    } catch (error) {
      if (isSystemError(error, "EAGAIN", "ENOBUFS")) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
  }
}
