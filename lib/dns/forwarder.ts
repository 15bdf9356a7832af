import type { Cancel, World } from "../base/world.ts";
import { rcode } from "../wire/dns-message.ts";
import { AnswerCache } from "./answer-cache.ts";
import type { DnsResponder, Forward } from "./responder.ts";
import { type Transport, truncateReply } from "./truncation.ts";
import { type UpstreamIo, UpstreamQuery } from "./upstream-query.ts";
import type { Upstreams } from "./upstreams.ts";

/** Queries that wait for other servers at the same time; each holds a socket. */
export const forwardsMax = 512;

/**
 * How many queries for the same record may be on their way when one more comes from this host or
 * from an upstream server. A resolver that sends our own queries back makes them grow without end.
 */
export const loopDepthMax = 3;

export type ForwardResult = "forwarded" | "cached" | "unanswered" | "too-many" | "loop";

export interface ForwarderOptions {
  /** Read time-out of one server when the resolver file gives none. */
  readonly fallbackTimeoutMs: number;
  /** Whether this host has the address: a resolver on it may be what an upstream server is. */
  isOwnAddress?(host: string): boolean;
}

/**
 * Answers queries for other zones from what upstream servers said before, or sends them there
 * (dns §6.5), a bounded number at a time.
 */
export class Forwarder {
  readonly #world: World;
  readonly #io: UpstreamIo;
  readonly #upstreams: Upstreams;
  readonly #responder: DnsResponder;
  readonly #options: ForwarderOptions;
  readonly #running = new Set<UpstreamQuery>();
  /** How many of {@link #running} ask for the same record. */
  readonly #depths = new Map<string, number>();
  readonly #cache: AnswerCache;
  #warnedOfLoop = false;

  constructor(
    world: World,
    io: UpstreamIo,
    upstreams: Upstreams,
    responder: DnsResponder,
    options: ForwarderOptions,
  ) {
    this.#world = world;
    this.#io = io;
    this.#upstreams = upstreams;
    this.#responder = responder;
    this.#options = options;
    this.#cache = new AnswerCache(world);
  }

  get running(): number {
    return this.#running.size;
  }

  /** `done` is called once, unless cancelled, maybe before this returns. `from` asked us. */
  forward(
    request: Forward,
    transport: Transport,
    from: string,
    done: (reply: Uint8Array, result: ForwardResult) => void,
  ): Cancel {
    const fail = (code: number, result: ForwardResult): Cancel => {
      done(this.#responder.failure(request.query, code), result);
      return () => {};
    };
    const { query, replySizeMax } = request;
    const cached = this.#cached(query.bytes, replySizeMax);
    if (cached !== undefined) {
      done(cached, "cached");
      return () => {};
    }
    const key = `${query.name} ${query.type} ${query.class}`;
    if (this.#isLoop(key, from)) {
      this.#warnOfLoop(from);
      return fail(rcode.refused, "loop");
    }
    if (this.#running.size >= forwardsMax) return fail(rcode.serverFailure, "too-many");
    const options = {
      query: query.bytes,
      transport,
      timeoutMs: this.#upstreams.timeoutMs ?? this.#options.fallbackTimeoutMs,
    };
    const running = new UpstreamQuery(this.#world, this.#io, this.#upstreams, options, (reply) => {
      leave();
      if (reply !== undefined) this.#cache.put(query.bytes, reply);
      const fitting = reply === undefined ? undefined : truncateReply(reply, replySizeMax);
      if (fitting === undefined) fail(rcode.serverFailure, "unanswered");
      else done(fitting, "forwarded");
    });
    const leave = this.#enter(running, key);
    running.start();
    return () => {
      running.cancel();
      leave();
    };
  }

  /** Gives up everything without a word. */
  close(): void {
    for (const running of this.#running) running.cancel();
    this.#running.clear();
    this.#depths.clear();
  }

  #cached(query: Uint8Array, replySizeMax: number): Uint8Array | undefined {
    const reply = this.#cache.get(query);
    return reply === undefined ? undefined : truncateReply(reply, replySizeMax);
  }

  #enter(running: UpstreamQuery, key: string): Cancel {
    this.#running.add(running);
    this.#depths.set(key, (this.#depths.get(key) ?? 0) + 1);
    return () => {
      if (!this.#running.delete(running)) return;
      const depth = (this.#depths.get(key) ?? 1) - 1;
      if (depth === 0) this.#depths.delete(key);
      else this.#depths.set(key, depth);
    };
  }

  #isLoop(key: string, from: string): boolean {
    if ((this.#depths.get(key) ?? 0) < loopDepthMax) return false;
    return this.#upstreams.isServer(from) || (this.#options.isOwnAddress?.(from) ?? false);
  }

  #warnOfLoop(from: string): void {
    if (this.#warnedOfLoop) return;
    this.#warnedOfLoop = true;
    this.#world.log.warn(
      `dns: ${from} sends our own queries back: it forwards to this name server; name other servers in a file of their own and give it to --resolv-conf`,
    );
  }
}
