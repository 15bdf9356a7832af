import type { Endpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import type { Cancel } from "../base/world.ts";

/**
 * After this long without a word from the remote machine, though it was asked, the stream breaks
 * with {@link remoteSilent}. It is the machines that ask and answer, beneath the protocol: a remote
 * of any kind is watched alike, a busy or stopped process is not taken for a dead host, and an idle
 * stream costs neither end anything. Room for five seconds in which a whole host stands still.
 */
export const silenceMaxMs = 9_000;

/** Why a stream broke whose remote machine fell silent. */
export function remoteSilent(cause?: unknown): WeaveError {
  const text = `remote host did not answer for ${silenceMaxMs / 1000} s`;
  return new WeaveError(remoteSilentCode, text, {
    remedy: "see whether the remote host is up and reachable on the peers' TCP port",
    cause,
  });
}

export const remoteSilentCode = "REMOTE_SILENT";

/** What the owner of a {@link ByteStream} hears of it. */
export interface ByteStreamHandlers {
  /** Octets in order, never none. The receiver may keep them: they are not used again. */
  data(bytes: Uint8Array): void;
  /**
   * The stream is gone, in both directions and for good: called exactly once, also after our own
   * `end` and `reset`, but never from within them. `error` is missing when the remote closed in
   * good order or when we did. No later than {@link silenceMaxMs} after the remote machine was
   * last heard.
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
  /** From here to the remote machine and back, in milliseconds, where the machine knows. */
  readonly roundTripMs?: number | undefined;
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
