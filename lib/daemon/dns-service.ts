import { type Endpoint, formatEndpoint, tryParseEndpoint } from "../base/endpoint.ts";
import { errorText } from "../base/errors.ts";
import { type Cidr, formatIp } from "../base/ip.ts";
import type { Random } from "../base/random.ts";
import type { Log } from "../base/world.ts";
import type { NameTable } from "../dns/name-table.ts";
import { DnsResponder } from "../dns/responder.ts";
import { addressesOf } from "../host/attach.ts";
import { DnsServer } from "../host/dns-server.ts";
import { findLink } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { ResolvConfFile } from "../host/resolv-conf-file.ts";
import { KeyedLock } from "./keyed-lock.ts";
import type { LaunchOptions } from "./launch-options.ts";

const dnsPort = 53;

/**
 * weaveDNS on this host: at its listen address, and at every exposed address of the bridge, where
 * containers that know nothing but the overlay can ask. An address that cannot be had is reported
 * and left out; the router does not die of it.
 */
export class DnsService {
  readonly listenAddress: string;
  readonly upstreams: ResolvConfFile;
  readonly #options: NonNullable<LaunchOptions["dns"]>;
  readonly #responder: DnsResponder;
  readonly #log: Log;
  readonly #servers = new Map<string, DnsServer>();
  readonly #turns = new KeyedLock();
  /** Addresses that could not be had, with the reason. */
  readonly #refused = new Map<string, string>();

  constructor(
    table: NameTable,
    options: NonNullable<LaunchOptions["dns"]>,
    environment: { readonly dockerBridge: string; readonly log: Log; readonly random: Random },
  ) {
    this.#options = options;
    this.#log = environment.log;
    this.listenAddress = options.listenAddress ?? defaultListenAddress(environment.dockerBridge);
    this.#responder = new DnsResponder(table, {
      ttlS: options.ttlSeconds,
      random: environment.random,
    });
    this.upstreams = new ResolvConfFile(options.resolvConf, {
      exclude: this.#own().host,
      log: environment.log,
    });
  }

  async start(): Promise<void> {
    await this.#listen(this.#own());
  }

  /**
   * Listens at exactly these addresses besides the listen address. Of several calls one waits for the
   * other: two that listen at one address at once would find it taken.
   */
  serveExposed(exposed: readonly Cidr[]): Promise<void> {
    return this.#turns.run("exposed", () => this.#serveExposed(exposed));
  }

  async #serveExposed(exposed: readonly Cidr[]): Promise<void> {
    const own = formatEndpoint(this.#own());
    const wanted = new Map(
      exposed.map(({ address }) => {
        const endpoint = { host: formatIp(address), port: dnsPort };
        return [formatEndpoint(endpoint), endpoint] as const;
      }),
    );
    for (const [key, server] of this.#servers) {
      if (key === own || wanted.has(key)) continue;
      this.#servers.delete(key);
      await server.close();
    }
    const coversAll = ["0.0.0.0", "::"].includes(this.#own().host);
    if (coversAll) return;
    for (const endpoint of wanted.values()) await this.#listen(endpoint);
  }

  /** What to tell containers: an address of the overlay when the own one is this host's alone. */
  get advertisedAddress(): string {
    const isLocal = this.#own().host.startsWith("127.");
    const [exposed] = [...this.#servers.keys()].filter(
      (key) => key !== formatEndpoint(this.#own()),
    );
    return isLocal && exposed !== undefined ? exposed : this.listenAddress;
  }

  /** Sentences about addresses at which nobody answers, for status and log. */
  problems(): string[] {
    return [...this.#refused].map(
      ([address, reason]) => `weaveDNS is not at ${address}: ${reason}`,
    );
  }

  stats(): ReturnType<DnsServer["stats"]>[] {
    return [...this.#servers.values()].map((server) => server.stats());
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.values()) await server.close();
    this.#servers.clear();
  }

  async #listen(endpoint: Endpoint): Promise<void> {
    const key = formatEndpoint(endpoint);
    if (this.#servers.has(key)) return;
    try {
      const server = await DnsServer.listen({
        address: endpoint.host,
        port: endpoint.port,
        responder: this.#responder,
        upstreams: this.upstreams,
        fallbackTimeoutMs: this.#options.fallbackTimeoutMs,
        log: this.#log,
      });
      this.#servers.set(key, server);
      this.#refused.delete(key);
    } catch (error) {
      this.#refused.set(key, errorText(error));
      this.#log.warn(`weaveDNS cannot listen at ${key}: ${errorText(error)}`);
    }
  }

  #own(): Endpoint {
    return tryParseEndpoint(this.listenAddress) ?? { host: "127.0.0.1", port: dnsPort };
  }
}

/** The Docker bridge's address, which containers reach; without one, this host alone is served. */
function defaultListenAddress(dockerBridge: string): string {
  using netlink = openRoute();
  const bridge = findLink(netlink, { name: dockerBridge });
  const address =
    bridge === undefined
      ? undefined
      : addressesOf(netlink, bridge.index).find((cidr) => cidr.address.family === 4)?.address;
  return formatEndpoint({
    host: address === undefined ? "127.0.0.1" : formatIp(address),
    port: dnsPort,
  });
}
