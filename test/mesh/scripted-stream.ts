import { concatBytes } from "../../lib/base/bytes.ts";
import type { Endpoint } from "../../lib/base/endpoint.ts";
import type { WeaveError } from "../../lib/base/errors.ts";
import type { ByteStream, ByteStreamHandlers } from "../../lib/mesh/transport.ts";

/** A stream whose other end is the test: it says what arrives and what the kernel takes. */
export class ScriptedStream implements ByteStream {
  readonly local: Endpoint = { host: "10.0.0.1", port: 6783 };
  readonly remote: Endpoint;
  /** What was written and not yet looked at. */
  #written: Uint8Array[] = [];
  /** The kernel takes everything until told otherwise. */
  backlogBytes = 0;
  stalled = false;
  fate: "open" | "ended" | "reset" = "open";
  #handlers: ByteStreamHandlers | undefined;

  constructor(remoteHost = "10.0.0.2") {
    this.remote = { host: remoteHost, port: 41000 };
  }

  write(bytes: Uint8Array): void {
    this.#written.push(bytes);
    if (this.stalled) this.backlogBytes += bytes.length;
  }

  end(): void {
    if (this.fate === "open") this.fate = "ended";
  }

  reset(): void {
    this.fate = "reset";
  }

  listen(handlers: ByteStreamHandlers): void {
    this.#handlers = handlers;
  }

  // ── the test's side ──

  /** Everything written since last asked. */
  take(): Uint8Array {
    return concatBytes(...this.#written.splice(0));
  }

  arrive(bytes: Uint8Array): void {
    this.#handlers?.data(bytes);
  }

  /** The kernel takes `count` octets of the backlog. */
  drain(count = this.backlogBytes): void {
    this.backlogBytes -= count;
    if (this.backlogBytes === 0) this.#handlers?.drained?.();
  }

  closed(error?: WeaveError): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.closed(error);
  }
}
