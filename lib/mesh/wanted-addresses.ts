import { type Endpoint, formatEndpoint, tryParseEndpoint } from "../base/endpoint.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { DirectPeers } from "./direct-peers.ts";
import type { PeerRecord } from "./peer-record.ts";

/** Addresses that are worth dialling at most; discovery in a full cluster stays far below. */
export const targetsMax = 8192;

/** What the choice of addresses rests on. */
export interface Surroundings {
  readonly direct: DirectPeers;
  readonly discovery: boolean;
  readonly defaultPort: number;
  /** The records of all peers, ours among them. */
  readonly records: Iterable<PeerRecord>;
  readonly own: PeerRecord;
}

/**
 * The addresses to be connected to that are not (mesh-protocol §11.1, §11.2), by their text: those
 * of peers that a user named, and those that other peers are connected to.
 */
export function wantedAddresses(surroundings: Surroundings): Map<string, Endpoint> {
  const wanted = new Map<string, Endpoint>();
  const links = [...surroundings.own.links.values()];
  const connected = new Set(links.map(({ address }) => address));
  const want = (endpoint: Endpoint): void => {
    const address = formatEndpoint(endpoint);
    if (!connected.has(address) && wanted.size < targetsMax) wanted.set(address, endpoint);
  };
  const callers = new Set(links.filter(({ outbound }) => !outbound).map(hostOf));
  for (const peer of surroundings.direct) {
    for (const endpoint of surroundings.direct.endpoints(peer)) {
      // Whoever calls from there is taken for the peer meant, unless a port says which one it is.
      if (peer.portGiven || !callers.has(endpoint.host)) want(endpoint);
    }
  }
  if (surroundings.discovery) for (const endpoint of discovered(surroundings)) want(endpoint);
  return wanted;
}

/** Where the neighbours of others are that are not ours. */
function* discovered({ records, own, defaultPort }: Surroundings): Generator<Endpoint> {
  const missing = (name: PeerName): boolean => name !== own.name && !own.links.has(name);
  for (const record of records) {
    if (record.name === own.name) continue;
    for (const [remote, link] of record.links) {
      const endpoint = missing(remote) ? tryParseEndpoint(link.address) : undefined;
      if (endpoint === undefined) continue;
      // An outbound link shows where its remote listens; an inbound one shows only its host.
      yield link.outbound ? endpoint : { host: endpoint.host, port: defaultPort };
    }
  }
}

function hostOf(link: { readonly address: string }): string | undefined {
  return tryParseEndpoint(link.address)?.host;
}
