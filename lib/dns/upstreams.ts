import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { formatIp, tryParseIp } from "../base/ip.ts";
import type { World } from "../base/world.ts";
import { emptyResolvConf, type ResolvConf } from "./resolv-conf.ts";

/** A server that did not answer is asked after all others for this long. */
export const deadServerMs = 30_000;

const dnsPort = 53;

export interface UpstreamsOptions {
  /** Addresses of this name server: entries equal to one of them would ask ourselves. */
  readonly ownAddresses: readonly string[];
  /** Servers given explicitly; the resolver file then counts for its options alone. */
  readonly servers?: readonly Endpoint[];
}

/**
 * The servers that queries for other zones go to, and in which order (dns §6.6):
 *
 *   file order, turned by one each time with `rotate` ─▶ those that answer ─▶ those that did not
 */
export class Upstreams {
  readonly #world: Pick<World, "monotonicMs" | "log">;
  readonly #options: UpstreamsOptions;
  readonly #deadUntilMs = new Map<string, number>();
  #conf: ResolvConf = emptyResolvConf;
  #shown: readonly string[] = [];
  #servers: readonly Endpoint[];
  #turns = 0;

  constructor(world: Pick<World, "monotonicMs" | "log">, options: UpstreamsOptions) {
    this.#world = world;
    this.#options = options;
    this.#servers = options.servers ?? [];
    this.#shown = this.#servers.map(formatServer);
  }

  /** Takes the content of a resolver file. */
  use(conf: ResolvConf): void {
    this.#conf = conf;
    if (this.#options.servers !== undefined) return;
    const own = new Set(this.#options.ownAddresses.map(canonical));
    this.#shown = conf.servers.filter((server) => !own.has(canonical(server)));
    this.#servers = this.#shown.flatMap((text) => {
      // A zone says through which link a link-local server is reached; the socket understands it.
      if (tryParseIp(text.split("%")[0]!) !== undefined) return { host: text, port: dnsPort };
      this.#world.log.warn(`dns: upstream server "${text}" is not an IP address, left out`);
      return [];
    });
    for (const key of this.#deadUntilMs.keys()) {
      if (!this.#servers.some((server) => formatEndpoint(server) === key)) {
        this.#deadUntilMs.delete(key);
      }
    }
  }

  /** As `status` shows them: in file order, as written. */
  get list(): readonly string[] {
    return this.#shown;
  }

  get attempts(): number {
    return this.#conf.attempts;
  }

  /** Wait for one server; `undefined` when the file leaves it to the configuration. */
  get timeoutMs(): number | undefined {
    return this.#conf.timeoutS === undefined ? undefined : this.#conf.timeoutS * 1000;
  }

  /** The order in which to ask for one query. */
  order(): Endpoint[] {
    const { length } = this.#servers;
    const first = this.#conf.rotate && length > 0 ? this.#turns++ % length : 0;
    const turned = [...this.#servers.slice(first), ...this.#servers.slice(0, first)];
    const nowMs = this.#world.monotonicMs();
    const isDead = (server: Endpoint): boolean =>
      (this.#deadUntilMs.get(formatEndpoint(server)) ?? 0) > nowMs;
    return [
      ...turned.filter((server) => !isDead(server)),
      ...turned.filter((server) => isDead(server)),
    ];
  }

  answered(server: Endpoint): void {
    this.#deadUntilMs.delete(formatEndpoint(server));
  }

  silent(server: Endpoint): void {
    this.#deadUntilMs.set(formatEndpoint(server), this.#world.monotonicMs() + deadServerMs);
  }

  /** Whether a query from this address may be one of ours on its way back. */
  isServer(host: string): boolean {
    return this.#servers.some((server) => server.host === host);
  }
}

function canonical(text: string): string {
  const address = tryParseIp(text);
  return address === undefined ? text : formatIp(address);
}

function formatServer(server: Endpoint): string {
  return server.port === dnsPort ? server.host : formatEndpoint(server);
}
