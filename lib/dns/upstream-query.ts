import { readUint16, writeUint16 } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { WeaveError } from "../base/errors.ts";
import { type Random, randomUint32 } from "../base/random.ts";
import type { Cancel, World } from "../base/world.ts";
import { isReplyTo, rcode, rcodeMask } from "../wire/dns-message.ts";
import type { Transport } from "./truncation.ts";
import type { Upstreams } from "./upstreams.ts";

/** Sockets towards other name servers. */
export interface UpstreamIo {
  /**
   * Sends one query from a fresh socket. `handlers` hear of every message that comes back, and of
   * the failure of the socket, never before this call has returned and never after the cancel.
   */
  exchange(
    server: Endpoint,
    transport: Transport,
    query: Uint8Array,
    handlers: { reply(bytes: Uint8Array): void; failed(error: WeaveError): void },
  ): Cancel;
}

/** The next server is asked when the one before has been silent for this long. */
export const overlapMs = 400;

export interface UpstreamQueryOptions {
  readonly query: Uint8Array;
  readonly transport: Transport;
  readonly timeoutMs: number;
}

interface Try {
  readonly server: Endpoint;
  readonly query: Uint8Array;
  readonly askedMs: number;
  stop: Cancel;
}

/**
 * One query on its way through the upstream servers.
 *
 *          ┌──────────── overlapMs without reply, or it failed ────────────┐
 *          ▼                                                               │
 *   ask the next server ──▶ waiting for all asked so far ──▶ reply of use ─┼─▶ done
 *                                      │                                   │
 *                                      └─ SERVFAIL, REFUSED, NOTIMP: kept ─┘
 *                                         and used when nothing better comes
 *
 * Every try has its own socket and id; a reply counts only when it repeats id and question.
 */
export class UpstreamQuery {
  readonly #world: World;
  readonly #random: Random;
  readonly #io: UpstreamIo;
  readonly #upstreams: Upstreams;
  readonly #options: UpstreamQueryOptions;
  readonly #done: (reply: Uint8Array | undefined) => void;
  /** Servers still to be asked, all rounds in order. */
  readonly #next: Endpoint[];
  readonly #asked = new Set<Try>();
  #overlap: Cancel = () => {};
  /** A reply that says no more than that its server cannot help. */
  #helpless: Uint8Array | undefined;
  #ended = false;

  /** `done` is called once, with the reply under the id of `query`; without when none came. */
  constructor(
    world: World,
    io: UpstreamIo,
    upstreams: Upstreams,
    options: UpstreamQueryOptions,
    done: (reply: Uint8Array | undefined) => void,
  ) {
    this.#world = world;
    this.#random = world.random;
    this.#io = io;
    this.#upstreams = upstreams;
    this.#options = options;
    this.#done = done;
    const order = upstreams.order();
    this.#next = Array.from({ length: upstreams.attempts }, () => order).flat();
  }

  start(): void {
    this.#askNext();
  }

  /** Gives up without calling `done`. */
  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#overlap();
    for (const each of this.#asked) each.stop();
    this.#asked.clear();
  }

  #askNext(): void {
    this.#overlap();
    const server = this.#next[0];
    // In the second round a server that may still answer is not asked again.
    const busy = [...this.#asked].some((each) => each.server === server);
    if (server !== undefined && !busy) {
      this.#next.shift();
      this.#ask(server);
      this.#overlap = this.#world.after(overlapMs, () => this.#askNext());
    } else if (this.#asked.size === 0) {
      this.#end(this.#helpless);
    }
  }

  #ask(server: Endpoint): void {
    const query = new Uint8Array(this.#options.query);
    writeUint16(query, 0, randomUint32(this.#random) & 0xffff);
    const asked: Try = { server, query, askedMs: this.#world.monotonicMs(), stop: () => {} };
    this.#asked.add(asked);
    const close = this.#io.exchange(server, this.#options.transport, query, {
      reply: (bytes) => this.#reply(asked, bytes),
      failed: (error) => {
        this.#world.log.debug(`dns: upstream ${server.host}: ${error.message}`);
        this.#silent(asked);
      },
    });
    const stopTimer = this.#world.after(this.#options.timeoutMs, () => this.#silent(asked));
    asked.stop = () => {
      close();
      stopTimer();
    };
  }

  #reply(asked: Try, bytes: Uint8Array): void {
    if (!this.#asked.has(asked) || !isReplyTo(bytes, asked.query)) return;
    this.#upstreams.answered(asked.server);
    const reply = new Uint8Array(bytes);
    writeUint16(reply, 0, readUint16(this.#options.query, 0));
    if (saysNoMoreThanNo(reply)) {
      this.#helpless ??= reply;
      this.#finish(asked);
    } else {
      this.#asked.delete(asked);
      asked.stop();
      this.#noteOvertaken();
      this.#end(reply);
    }
  }

  /** Whoever kept silent until a server asked later had answered is asked last from now on. */
  #noteOvertaken(): void {
    const nowMs = this.#world.monotonicMs();
    for (const each of this.#asked) {
      if (nowMs - each.askedMs >= overlapMs) this.#upstreams.silent(each.server);
    }
  }

  #silent(asked: Try): void {
    if (!this.#asked.has(asked)) return;
    this.#upstreams.silent(asked.server);
    this.#finish(asked);
  }

  #finish(asked: Try): void {
    this.#asked.delete(asked);
    asked.stop();
    this.#askNext();
  }

  #end(reply: Uint8Array | undefined): void {
    if (this.#ended) return;
    this.cancel();
    this.#done(reply);
  }
}

function saysNoMoreThanNo(reply: Uint8Array): boolean {
  const code = readUint16(reply, 2) & rcodeMask;
  return code === rcode.serverFailure || code === rcode.refused || code === rcode.notImplemented;
}
