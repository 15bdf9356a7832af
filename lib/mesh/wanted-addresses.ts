import { type Endpoint, formatEndpoint, tryParseEndpoint } from "../base/endpoint.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { DirectPeer, DirectPeers } from "./direct-peers.ts";
import type { PeerRecord } from "./peer-record.ts";
import { dialable } from "./redirect.ts";

/** Addresses that are worth dialling at most; discovery in a full cluster stays far below. */
export const targetsMax = 8192;

/** What the choice of addresses rests on. */
export interface Surroundings {
  readonly direct: DirectPeers;
  /** Where peers that had no room for us sent us. */
  readonly elsewhere: Iterable<Endpoint>;
  /** Whether to look for the neighbours of others. */
  readonly discovery: boolean;
  readonly defaultPort: number;
  /** Whether an address was tried to no avail, and its peer may be found at others of its name. */
  seemsInVain(address: string): boolean;
  /** The records of all peers, ours among them. */
  readonly records: Iterable<PeerRecord>;
  readonly own: PeerRecord;
}

/** An address to be connected to. */
export interface WantedAddress {
  readonly endpoint: Endpoint;
  /** Who is said to be there; `undefined` when a user gave the address, or somebody sent us. */
  readonly remote: PeerName | undefined;
}

/**
 * The addresses to be connected to that are not (mesh-protocol §11.1, §11.2), by their text: those
 * of peers that a user named, those that we were sent to, and those that other peers are connected
 * to.
 */
export function wantedAddresses(surroundings: Surroundings): Map<string, WantedAddress> {
  const wanted = new Map<string, WantedAddress>();
  const links = [...surroundings.own.links.values()];
  const connected = new Set(links.map(({ address }) => address));
  const want = (endpoint: Endpoint, remote?: PeerName): void => {
    const address = formatEndpoint(endpoint);
    if (connected.has(address) || wanted.has(address) || wanted.size >= targetsMax) return;
    wanted.set(address, { endpoint, remote });
  };
  const callers = new Set(links.filter(({ outbound }) => !outbound).map(hostOf));
  for (const peer of surroundings.direct) {
    for (const endpoint of worthTrying(surroundings, peer)) {
      // Whoever calls from there is taken for the peer meant, unless a port says which one it is.
      if (peer.portGiven || !callers.has(endpoint.host)) want(endpoint);
    }
  }
  for (const endpoint of surroundings.elsewhere) want(endpoint);
  if (surroundings.discovery) {
    for (const { endpoint, remote } of discovered(surroundings)) want(endpoint, remote);
  }
  return wanted;
}

/**
 * The addresses of a peer, those of IPv6 only where it has no others that may do: kernels carry frames
 * by IPv4 alone, and who is found by IPv6 first would be left to the slower way.
 */
function worthTrying({ direct, seemsInVain }: Surroundings, peer: DirectPeer): Endpoint[] {
  const endpoints = direct.endpoints(peer);
  const ofIpv4 = endpoints.filter(({ host }) => !host.includes(":"));
  const inVain = ofIpv4.every((endpoint) => seemsInVain(formatEndpoint(endpoint)));
  return inVain ? endpoints : ofIpv4;
}

/** Where the neighbours of others are that are not ours. */
function* discovered({ records, own, defaultPort }: Surroundings): Generator<WantedAddress> {
  const missing = (name: PeerName): boolean => name !== own.name && !own.links.has(name);
  for (const record of records) {
    if (record.name === own.name) continue;
    for (const [remote, link] of record.links) {
      const endpoint = missing(remote) ? dialable(link, defaultPort) : undefined;
      if (endpoint !== undefined) yield { endpoint, remote };
    }
  }
}

function hostOf(link: { readonly address: string }): string | undefined {
  return tryParseEndpoint(link.address)?.host;
}
