import { rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** A socket that leads to another one, until it is cut: a way to an engine that goes on without us. */
export class Relay implements AsyncDisposable {
  readonly #at: string;
  readonly #to: string;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  constructor(at: string, to: string) {
    this.#at = at;
    this.#to = to;
  }

  async join(): Promise<void> {
    rmSync(this.#at, { force: true });
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = createConnection({ path: this.#to, allowHalfOpen: true });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(one);
        one.on("close", () => this.#open.delete(one));
        one.on("error", () => other.destroy());
        one.pipe(other);
      }
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#at, resolve));
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#open) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cut();
  }
}
