/** Room for any datagram and any frame. */
export const bufferSize = 65_536;

/** Buffers kept for reuse; more may be out at once, when a broadcast goes to more neighbours. */
export const pooledBuffersMax = 64;

/** Lends out buffers of {@link bufferSize} octets, so that the packet path allocates none. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(bufferSize);
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < pooledBuffersMax) this.#free.push(buffer);
  }
}
