import type { Endpoint } from "../base/endpoint.ts";
import type { WeaveError } from "../base/errors.ts";
import type { Cancel } from "../base/world.ts";

/** What the owner of a {@link ByteStream} hears of it. */
export interface ByteStreamHandlers {
  /** Octets in order, never none. The receiver may keep them: they are not used again. */
  data(bytes: Uint8Array): void;
  /**
   * The stream is gone, in both directions and for good: called exactly once, also after our own
   * `end` and `reset`, but never from within them. `error` is missing when the remote closed in
   * good order or when we did.
   */
  closed(error?: WeaveError): void;
  /** {@link ByteStream.backlogBytes} went back to zero. */
  drained?(): void;
}

/** One open TCP connection: octets both ways, in order. */
export interface ByteStream {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Takes the octets without waiting; what the kernel does not take counts as backlog. */
  write(bytes: Uint8Array): void;
  /** Octets accepted by {@link write} but not yet by the kernel. */
  readonly backlogBytes: number;
  /**
   * Octets the remote kernel has not acknowledged, where the machine can tell; a number that
   * stays above zero means that nobody answers at the other end.
   */
  readonly unacknowledgedBytes?: number | undefined;
  /** Flushes what was written, then closes. Nothing is delivered from here on but `closed`. */
  end(): void;
  /** Closes at once; what was not sent is lost. Nothing is delivered from here on but `closed`. */
  reset(): void;
  /** Set once by the owner, before control returns to the machine: nothing is lost until then. */
  listen(handlers: ByteStreamHandlers): void;
}

/**
 * The mesh's way to the network: the host's sockets in the daemon, links in memory under test.
 * No callback runs before the call that it answers has returned.
 */
export interface Transport {
  /** Exactly one of the two handlers is called, or none after cancelling. */
  dial(
    to: Endpoint,
    handlers: { opened(stream: ByteStream): void; failed(error: WeaveError): void },
  ): Cancel;
  /** All addresses of a host name, in the resolver's order; `done` is called once. */
  resolve(host: string, done: (addresses: string[] | WeaveError) => void): Cancel;
}
