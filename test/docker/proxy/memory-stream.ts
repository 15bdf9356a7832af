import { concatBytes } from "../../../lib/base/bytes.ts";
import type { ByteStream } from "../../../lib/docker/proxy/byte-stream.ts";

/** One end of a connection in memory; writing waits while the other end has not read. */
export class MemoryStream implements ByteStream {
  #other!: MemoryStream;
  readonly #unread: Uint8Array[] = [];
  #hasEnded = false;
  #isClosed = false;
  #changed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  /** The most octets that ever waited at this end. */
  waitingMax = 0;

  static pair(): [MemoryStream, MemoryStream] {
    const [a, b] = [new MemoryStream(), new MemoryStream()];
    [a.#other, b.#other] = [b, a];
    return [a, b];
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#unread.length === 0) {
      if (this.#hasEnded) return undefined;
      await this.#changed.promise;
    }
    const bytes = this.#unread.shift();
    this.#change();
    return bytes;
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#unread.unshift(bytes);
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#isClosed || this.#other.#isClosed || this.#other.#hasEnded) return false;
    if (bytes.length > 0) this.#other.#take(bytes.slice());
    while (this.#other.hasUnread && !this.#other.#isClosed) await this.#other.#changed.promise;
    return !this.#other.#isClosed;
  }

  end(): void {
    this.#other.#end();
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
    this.#other.#end();
  }

  /** All that comes until the end. */
  async rest(): Promise<string> {
    const parts: Uint8Array[] = [];
    for (let part = await this.read(); part !== undefined; part = await this.read()) {
      parts.push(part);
    }
    return Buffer.from(concatBytes(...parts)).toString("latin1");
  }

  /** What comes until `text` is among it. */
  async until(text: string): Promise<string> {
    let all = "";
    while (!all.includes(text)) {
      const part = await this.read();
      if (part === undefined) throw new Error(`ended after ${JSON.stringify(all)}`);
      all += Buffer.from(part).toString("latin1");
    }
    const end = all.indexOf(text) + text.length;
    this.unread(Buffer.from(all.slice(end), "latin1"));
    return all.slice(0, end);
  }

  send(text: string): Promise<boolean> {
    return this.write(Buffer.from(text, "latin1"));
  }

  #take(bytes: Uint8Array): void {
    this.#unread.push(bytes);
    const waiting = this.#unread.reduce((sum, each) => sum + each.length, 0);
    this.waitingMax = Math.max(this.waitingMax, waiting);
    this.#change();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#ended.resolve();
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
