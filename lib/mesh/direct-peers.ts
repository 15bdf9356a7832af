import { type Endpoint, formatEndpoint, splitHostPort } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import { formatIp, tryParseIp } from "../base/ip.ts";

/** Peers that a user may name. */
export const directPeersMax = 4096;

/** A peer to connect to because a user said so (mesh-protocol §11.1). */
export interface DirectPeer {
  /** As typed: its identity. */
  readonly text: string;
  /** An IP address in canonical text, or a name to be resolved at each attempt. */
  readonly host: string;
  readonly isName: boolean;
  readonly port: number;
  /** Without one, a connection from that host counts as the one wanted. */
  readonly portGiven: boolean;
}

/** Reads `host`, `host:port`, `[v6]:port`. @throws WeaveError `PEER_ADDRESS` */
export function parseDirectPeer(text: string, defaultPort: number): DirectPeer {
  const parts = splitHostPort(text);
  if (parts === undefined || parts.port === 0) {
    throw new WeaveError("PEER_ADDRESS", `invalid peer name "${text}", should be host[:port]`, {
      remedy: "give the address or host name of a peer, with :port if it is not the usual one",
    });
  }
  const address = tryParseIp(parts.host);
  return {
    text,
    host: address === undefined ? parts.host : formatIp(address),
    isName: address === undefined,
    port: parts.port ?? defaultPort,
    portGiven: parts.port !== undefined,
  };
}

/**
 * The peers a user named, with the addresses that their names last resolved to. Names resolve again
 * at each attempt, all their addresses count, and one that does not resolve spoils nothing.
 */
export class DirectPeers {
  readonly #peers = new Map<string, DirectPeer>();
  /** By host name, as last resolved. */
  readonly #resolved = new Map<string, readonly string[]>();

  get texts(): string[] {
    return [...this.#peers.keys()];
  }

  [Symbol.iterator](): Iterator<DirectPeer> {
    return this.#peers.values();
  }

  /** @throws WeaveError `PEER_ADDRESS_LIMIT` */
  add(peer: DirectPeer): void {
    if (this.#peers.size >= directPeersMax && !this.#peers.has(peer.text)) {
      throw new WeaveError("PEER_ADDRESS_LIMIT", `more than ${directPeersMax} peer addresses`);
    }
    this.#peers.set(peer.text, peer);
  }

  delete(text: string): void {
    const peer = this.#peers.get(text);
    this.#peers.delete(text);
    if (peer === undefined || [...this].some(({ host }) => host === peer.host)) return;
    this.#resolved.delete(peer.host);
  }

  clear(): void {
    this.#peers.clear();
    this.#resolved.clear();
  }

  resolved(host: string, addresses: readonly string[]): void {
    this.#resolved.set(host, addresses);
  }

  /** Where `peer` is; a name that was not resolved yet is nowhere. */
  endpoints(peer: DirectPeer): Endpoint[] {
    const hosts = peer.isName ? (this.#resolved.get(peer.host) ?? []) : [peer.host];
    return hosts.map((host) => ({ host, port: peer.port }));
  }

  /** The host names that led to `endpoint`. */
  namesOf(endpoint: Endpoint): Set<string> {
    const address = formatEndpoint(endpoint);
    const named = [...this].filter(
      (peer) => peer.isName && this.endpoints(peer).some((at) => formatEndpoint(at) === address),
    );
    return new Set(named.map(({ host }) => host));
  }
}
