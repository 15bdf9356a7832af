import type { Endpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import { type Random, randomUnit, seededRandom } from "../base/random.ts";
import type { Cancel } from "../base/world.ts";
import { type ByteStream, silenceMaxMs, type Transport } from "../mesh/transport.ts";
import { MemoryStream, type Wires } from "./memory-stream.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** How long an answer to a dial is awaited, as on a real host. */
const dialDeadlineMs = 10_000;

/** What lies between two hosts, the same in both directions. */
export interface Link {
  /** One-way delay in milliseconds. */
  readonly delayMs: number;
  /** Further delay of each segment, uniform in [0, jitterMs); order is kept. */
  readonly jitterMs: number;
  /** The same for the setting up of a connection, so that connections overtake each other. */
  readonly setupJitterMs?: number;
  /** Octets per millisecond; absent for no limit. */
  readonly bytesPerMs?: number;
}

/**
 * TCP in memory: hosts with addresses, links with delay, cuts and resets, all in virtual time.
 * A cut link loses nothing that TCP would repeat: what was under way arrives after healing.
 */
export class MemoryNetwork implements Wires {
  readonly clock: VirtualClock;
  readonly #random: Random;
  readonly #hosts = new Map<string, MemoryHost>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #links = new Map<string, Link>();
  /** By `from to`: the cuts that lie on this direction, one or several at once. */
  readonly #cuts = new Map<string, Set<object>>();
  /** By `from to`: what happens when the direction stays cut. */
  readonly #givingUp = new Map<string, Cancel>();
  /** By host: what its line carries, for as long as it is slow. */
  readonly #throttles = new Map<string, number>();
  readonly #streams = new Set<MemoryStream>();
  /** By host: segments of it that are neither delivered nor lost. */
  readonly #underWay = new Map<string, number>();
  readonly #defaultLink: Link;
  #writes = 0;
  #bytes = 0;

  constructor(clock: VirtualClock, seed: number, defaultLink: Partial<Link> = {}) {
    this.clock = clock;
    this.#random = seededRandom(seed);
    this.#defaultLink = { delayMs: 1, jitterMs: 0, ...defaultLink };
  }

  /** The host with this address, made on first use. */
  host(ip: string): MemoryHost {
    const host = this.#hosts.get(ip) ?? new MemoryHost(this, ip);
    this.#hosts.set(ip, host);
    return host;
  }

  /** What the resolver answers for `name`. No addresses: no such host. */
  name(name: string, addresses: readonly string[]): void {
    this.#names.set(name, addresses);
  }

  link(a: string, b: string, link: Partial<Link>): void {
    this.#links.set(pair(a, b), { ...this.linkBetween(a, b), ...link });
  }

  linkBetween(a: string, b: string): Link {
    return this.#links.get(pair(a, b)) ?? this.#defaultLink;
  }

  /**
   * Pulls the cable between two hosts: silence, and an error when it lasts. The answer plugs in what
   * this call pulled; the link works again when nothing else cuts it.
   */
  cut(a: string, b: string): Cancel {
    const healings = [this.cutOneWay(a, b), this.cutOneWay(b, a)];
    return () => {
      for (const heal of healings) heal();
    };
  }

  /** What `from` sends is lost on the way; what `to` sends arrives, but `from` cannot say so. */
  cutOneWay(from: string, to: string): Cancel {
    const key = `${from} ${to}`;
    const cut = {};
    const cuts = this.#cuts.get(key) ?? new Set();
    if (cuts.size === 0) {
      const giveUp = (): void => this.#giveUp(from, to);
      this.#givingUp.set(key, this.clock.after(silenceMaxMs, giveUp));
    }
    this.#cuts.set(key, cuts.add(cut));
    return () => {
      if (cuts.delete(cut) && cuts.size === 0) this.#mended(from, to);
    };
  }

  /** Ends all cuts between two hosts; what both sides kept repeating arrives. */
  heal(a: string, b: string): void {
    this.#cuts.get(`${a} ${b}`)?.clear();
    this.#cuts.get(`${b} ${a}`)?.clear();
    this.#mended(b, a);
    this.#mended(a, b);
  }

  isCut(from: string, to: string): boolean {
    if (this.#cuts.size === 0) return false;
    return (this.#cuts.get(`${from} ${to}`)?.size ?? 0) > 0;
  }

  /** From now on `host` gets and sends no more than this many octets per millisecond a stream. */
  throttle(host: string, bytesPerMs: number): void {
    this.#throttles.set(host, bytesPerMs);
  }

  unthrottle(host: string): void {
    this.#throttles.delete(host);
  }

  /** Resets every stream between two hosts, as a firewall may. */
  reset(a: string, b: string): void {
    for (const stream of this.#between(a, b)) stream.fail("ECONNRESET");
  }

  /** Octets and pieces that all streams carried so far. */
  traffic(): { readonly writes: number; readonly bytes: number } {
    return { writes: this.#writes, bytes: this.#bytes };
  }

  /** Open streams, without a copy of the list. */
  openStreams(): Iterable<MemoryStream> {
    return this.#streams;
  }

  /** Open streams of a host, or of all hosts. */
  streams(ip?: string): MemoryStream[] {
    return [...this.#streams].filter((stream) => ip === undefined || stream.local.host === ip);
  }

  /** Whether something that a host has sent is yet to arrive, also after its process ended. */
  isUnderWay(ip: string): boolean {
    return (this.#underWay.get(ip) ?? 0) > 0 || this.streams(ip).some((each) => each.hasMore);
  }

  // ── for hosts and streams ──

  /** So many segments of a host went on their way; negative when they arrived or are lost. */
  underWay(ip: string, segments: number): void {
    this.#underWay.set(ip, (this.#underWay.get(ip) ?? 0) + segments);
  }

  carried(bytes: number): void {
    this.#writes++;
    this.#bytes += bytes;
  }

  delayMinMs(from: string, to: string): number {
    return this.linkBetween(from, to).delayMs;
  }

  bytesPerMs(from: string, to: string): number {
    const line = this.linkBetween(from, to).bytesPerMs ?? Number.POSITIVE_INFINITY;
    if (this.#throttles.size === 0) return line;
    const ends = [this.#throttles.get(from), this.#throttles.get(to)];
    return Math.min(line, ...ends.filter((limit) => limit !== undefined));
  }

  /** How long the first packet of a new connection takes. */
  setupMs(from: string, to: string): number {
    const jitterMs = this.linkBetween(from, to).setupJitterMs ?? 0;
    const laterMs = jitterMs > 0 ? jitterMs * randomUnit(this.#random) : 0;
    return this.delayMs(from, to) + laterMs;
  }

  delayMs(a: string, b: string): number {
    const link = this.linkBetween(a, b);
    return link.delayMs + (link.jitterMs > 0 ? link.jitterMs * randomUnit(this.#random) : 0);
  }

  find(ip: string): MemoryHost | undefined {
    return this.#hosts.get(ip);
  }

  lookup(name: string): readonly string[] {
    return this.#names.get(name) ?? [];
  }

  opened(stream: MemoryStream): void {
    this.#streams.add(stream);
  }

  gone(stream: MemoryStream): void {
    this.#streams.delete(stream);
  }

  /** Both directions: a cut of one of them held back segments, or what they were acknowledged by. */
  #mended(from: string, to: string): void {
    this.#givingUp.get(`${from} ${to}`)?.();
    this.#givingUp.delete(`${from} ${to}`);
    for (const stream of this.#between(from, to)) stream.resume();
  }

  /** Neither end has an answer from the other: one hears nothing, the other is not heard. */
  #giveUp(from: string, to: string): void {
    for (const stream of this.#between(from, to)) stream.giveUp();
  }

  #between(a: string, b: string): MemoryStream[] {
    return [...this.#streams].filter(({ local, remote }) =>
      local.host === a ? remote.host === b : local.host === b && remote.host === a,
    );
  }
}

/** One address on the network, with its listeners. */
export class MemoryHost {
  readonly ip: string;
  readonly transport: Transport;
  readonly #network: MemoryNetwork;
  readonly #listeners = new Map<number, (stream: ByteStream) => void>();
  #nextPort = 40_000;

  constructor(network: MemoryNetwork, ip: string) {
    this.#network = network;
    this.ip = ip;
    this.transport = {
      dial: (to, handlers) => this.#dial(to, handlers),
      resolve: (name, done) => this.#resolve(name, done),
    };
  }

  /** Hands streams dialled to `port` to `accepted`, until the returned function is called. */
  listen(port: number, accepted: (stream: ByteStream) => void): Cancel {
    this.#listeners.set(port, accepted);
    return () => {
      if (this.#listeners.get(port) === accepted) this.#listeners.delete(port);
    };
  }

  /**
   * The process dies: nobody listens any more and its streams are gone. With `silent` the kernel
   * dies too, so that the others hear nothing until they write to a stream nobody knows.
   */
  crash(options: { silent: boolean }): void {
    this.#listeners.clear();
    for (const stream of this.#network.streams(this.ip)) {
      if (options.silent) stream.vanish();
      else stream.reset();
    }
  }

  #dial(to: Endpoint, handlers: Parameters<Transport["dial"]>[1]): Cancel {
    const network = this.#network;
    const roundTripMs = network.setupMs(this.ip, to.host) + network.delayMs(to.host, this.ip);
    const answer = (): void => {
      const accept = network.find(to.host)?.accepting(to.port);
      if (network.isCut(this.ip, to.host) || network.isCut(to.host, this.ip)) {
        cancel = network.clock.after(dialDeadlineMs - roundTripMs, () =>
          handlers.failed(dialError(to, "ETIMEDOUT")),
        );
      } else if (accept === undefined) {
        handlers.failed(dialError(to, "ECONNREFUSED"));
      } else {
        const from = { host: this.ip, port: this.#nextPort++ };
        const [near, far] = MemoryStream.pair(network, from, to);
        // First, so that even without any delay nothing arrives before somebody listens.
        network.clock.after(0, () => accept(far));
        handlers.opened(near);
      }
    };
    let cancel = network.clock.after(roundTripMs, answer);
    return () => cancel();
  }

  accepting(port: number): ((stream: ByteStream) => void) | undefined {
    return this.#listeners.get(port);
  }

  #resolve(name: string, done: (addresses: string[] | WeaveError) => void): Cancel {
    return this.#network.clock.after(1, () => {
      const addresses = this.#network.lookup(name);
      done(
        addresses.length > 0
          ? [...addresses]
          : new WeaveError("HOST_UNKNOWN", `lookup ${name}: no such host`),
      );
    });
  }
}

function dialError(to: Endpoint, code: string): WeaveError {
  return new WeaveError("DIAL_FAILED", `dial tcp ${to.host}:${to.port}: ${code}`);
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
