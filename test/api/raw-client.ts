import { connect, type Socket } from "node:net";
import type { Listener } from "../../lib/api/listen.ts";

/** Where a listener of this machine is reached. */
export function placeOf({ address }: Listener): { path: string } | { host: string; port: number } {
  if (address.startsWith("/")) return { path: address };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** A connection on which anything can be sent, and all that came back. */
export class RawClient {
  received = "";
  isClosed = false;
  /** Resolves when the connection is gone, whoever ended it and however. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #arrived: () => void = () => {};

  constructor(listener: Listener) {
    this.#socket = connect(placeOf(listener));
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.isClosed = true;
        this.#arrived();
        resolve();
      });
    });
    // What counts is that it is closed; a reset is one of the ways.
    this.#socket.on("error", () => {});
    this.#socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.#arrived();
    });
  }

  send(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** Says that nothing more will come, and waits until the other side has said the same. */
  end(): Promise<void> {
    this.#socket.end();
    return this.closed;
  }

  disconnect(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }

  /** Resolves when `pattern` has come, or nothing can come any more. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received) && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.received;
  }
}
