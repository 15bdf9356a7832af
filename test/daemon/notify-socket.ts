import { closeDescriptor } from "../../ffi/descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { AF_UNIX, bindSocket, openSocket, SOCK_DGRAM, sockaddrUn } from "../../ffi/socket.ts";

/** A service manager's end of sd_notify(3). */
export class NotifySocket implements Disposable {
  readonly #descriptor: number;
  readonly #buffer = new Uint8Array(4096);

  constructor(address: string) {
    this.#descriptor = openSocket(AF_UNIX, SOCK_DGRAM, 0, "a socket to be notified on");
    bindSocket(this.#descriptor, sockaddrUn(address), address);
  }

  /** The next message, as soon as there is one. */
  async next(): Promise<string> {
    for (;;) {
      const length = libc.read(this.#descriptor, this.#buffer, this.#buffer.length);
      if (length > 0) return new TextDecoder().decode(this.#buffer.subarray(0, length));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#descriptor);
  }
}
