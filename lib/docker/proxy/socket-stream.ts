import type { Socket, SocketHandler } from "bun";
import type { ByteStream } from "./byte-stream.ts";

/** Octets that wait for a reader before the kernel is left to hold back the sender. */
const unreadBytesMax = 256 << 10;

/** What a socket carries for its handlers. */
export interface SocketState {
  stream: SocketStream | undefined;
}

export interface StreamHandlers {
  readonly isSecured: boolean;
  opened(stream: SocketStream): void;
  /** There will be no connection, or there is none any more. */
  failed?(error: Error): void;
}

/** A socket of the machine, with TLS or without, that is open in either direction on its own. */
export class SocketStream implements ByteStream {
  readonly #socket: Socket<SocketState>;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #isPaused = false;
  #hasEnded = false;
  #isClosed = false;
  #hasEndedOurs = false;
  #readable = Promise.withResolvers<void>();
  #writable: PromiseWithResolvers<void> | undefined;
  readonly #ended = Promise.withResolvers<void>();

  constructor(socket: Socket<SocketState>) {
    this.#socket = socket;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#unread.length === 0) {
      if (this.#hasEnded) return undefined;
      await this.#readable.promise;
    }
    const bytes = this.#unread.shift()!;
    this.#unreadBytes -= bytes.length;
    if (this.#isPaused && this.#unreadBytes < unreadBytesMax / 2) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    return bytes;
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#unread.unshift(bytes);
    this.#unreadBytes += bytes.length;
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#isClosed || this.#hasEndedOurs) return false;
      const taken = this.#socket.write(rest);
      if (taken < 0) return false;
      rest = rest.subarray(taken);
      if (rest.length === 0) break;
      this.#writable = Promise.withResolvers<void>();
      await this.#writable.promise;
    }
    return !this.#isClosed;
  }

  end(): void {
    if (this.#isClosed || this.#hasEndedOurs) return;
    this.#hasEndedOurs = true;
    // With both directions at their end there is nothing left that could keep it open.
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  close(): void {
    if (!this.#isClosed) this.#socket.end();
    this.#gone();
  }

  /**
   * What the socket reports goes to the stream that it carries.
   *
   * @param opened called once octets can be exchanged, with TLS after it was agreed on
   */
  static handlers({ isSecured, opened, failed }: StreamHandlers): SocketHandler<SocketState> {
    return {
      binaryType: "buffer",
      open(socket) {
        const stream = new SocketStream(socket);
        socket.data = { stream };
        if (!isSecured) opened(stream);
      },
      handshake({ data }, isAgreed, error) {
        if (isAgreed) of(data, opened);
        else failed?.(error ?? new Error("TLS was not agreed on"));
      },
      data: ({ data }, bytes) => of(data, (stream) => stream.#received(bytes)),
      drain: ({ data }) => of(data, (stream) => stream.#drained()),
      end: ({ data }) => of(data, (stream) => stream.#endedByOther()),
      close: ({ data }) => of(data, (stream) => stream.#gone()),
      error({ data }, error) {
        failed?.(error);
        of(data, (stream) => stream.#gone());
      },
      connectError: (_socket, error) => failed?.(error),
    };
  }

  #received(bytes: Uint8Array): void {
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (!this.#isPaused && this.#unreadBytes > unreadBytesMax) {
      this.#isPaused = true;
      this.#socket.pause();
    }
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#readable.resolve();
    this.#readable = Promise.withResolvers<void>();
  }

  #drained(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  #endedByOther(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#ended.resolve();
    this.#wakeReader();
    if (this.#hasEndedOurs) this.#socket.end();
  }

  #gone(): void {
    this.#isClosed = true;
    this.#drained();
    this.#endedByOther();
  }
}

/** There is no stream before the socket is open. */
function of(state: SocketState | undefined, report: (stream: SocketStream) => void): void {
  if (state?.stream !== undefined) report(state.stream);
}
