import { WeaveError } from "../base/errors.ts";
import type { Connection } from "./connection.ts";

/** Accepted connections whose introduction goes on. */
export const halfOpenMax = 256;
/** The same from one address. */
export const halfOpenPerSourceMax = 64;

/**
 * Accepted connections that have not introduced themselves. Anybody can open them, so they are
 * bounded; the oldest gives way, because a peer is through in milliseconds while a stalled client
 * stays, and so newcomers are served also under a flood.
 */
export class HalfOpen {
  /** In order of age. */
  readonly #connections = new Set<Connection>();

  get size(): number {
    return this.#connections.size;
  }

  add(connection: Connection): void {
    const source = connection.remoteAddress.host;
    const sameSource = [...this.#connections].filter((other) => hostOf(other) === source);
    if (sameSource.length >= halfOpenPerSourceMax) crowdOut(sameSource[0]!);
    const [oldest] = this.#connections;
    if (oldest !== undefined && this.size >= halfOpenMax) crowdOut(oldest);
    this.#connections.add(connection);
  }

  /** Whether somebody at `host` is about to introduce itself. */
  hasFrom(host: string): boolean {
    for (const connection of this.#connections) if (hostOf(connection) === host) return true;
    return false;
  }

  /** It introduced itself or closed. */
  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }
}

function hostOf(connection: Connection): string {
  return connection.remoteAddress.host;
}

/** Its `closed` event removes it from the set. */
function crowdOut(connection: Connection): void {
  connection.close(
    new WeaveError(
      "INTRODUCTION_LIMIT",
      "too many connections at once did not introduce themselves",
      {
        remedy: "see which program opens connections to the peers' TCP port",
      },
    ),
  );
}
