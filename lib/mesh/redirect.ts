import { type Endpoint, formatEndpoint, tryParseEndpoint } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import { type Random, shuffle } from "../base/random.ts";
import type { Features } from "./features.ts";
import type { PeerLink } from "./peer-record.ts";

/**
 * What a peer at its connection limit says to one that dials it (docs/protocol.md), in two features
 * more of its introduction, after which it closes:
 *
 *   WeaveLimit       30
 *   WeaveElsewhere   10.0.0.7:6783 10.0.0.9:6783 …     neighbours of its, the least connected first
 */
export const limitFeature = "WeaveLimit";
const elsewhereFeature = "WeaveElsewhere";

/** Addresses in one redirect; more are not looked at. */
export const elsewhereMax = 8;

export interface Redirect {
  /** Connections that the remote allows itself. */
  readonly limit: number;
  /** Where to try instead. */
  readonly elsewhere: readonly Endpoint[];
}

/** A neighbour that a stranger may be sent to. */
export interface Place {
  readonly link: PeerLink;
  /** Connections that it says it has. */
  readonly connections: number;
}

export function formatRedirect({ limit, elsewhere }: Redirect): Map<string, string> {
  return new Map([
    [limitFeature, limit.toString()],
    [elsewhereFeature, elsewhere.map(formatEndpoint).join(" ")],
  ]);
}

/** `undefined` when the remote does not turn us away. Words that are no addresses are skipped. */
export function parseRedirect(features: Features): Redirect | undefined {
  const limit = features.get(limitFeature);
  if (limit === undefined) return undefined;
  const words = (features.get(elsewhereFeature) ?? "").split(" ", elsewhereMax);
  const elsewhere = words.map(tryParseEndpoint).filter((endpoint) => endpoint !== undefined);
  return { limit: /^\d{1,6}$/.test(limit) ? Number(limit) : 0, elsewhere };
}

/** Some of `places`: the least connected, and of equals any. */
export function chooseElsewhere(
  places: readonly Place[],
  defaultPort: number,
  random: Random,
): Endpoint[] {
  const byRoom = shuffle(random, [...places]).sort((a, b) => a.connections - b.connections);
  const endpoints = byRoom.map(({ link }) => dialable(link, defaultPort));
  return endpoints.filter((endpoint) => endpoint !== undefined).slice(0, elsewhereMax);
}

/** Where the remote end of a link listens, as far as whoever claims the link can know. */
export function dialable(link: PeerLink, defaultPort: number): Endpoint | undefined {
  const endpoint = tryParseEndpoint(link.address);
  // An outbound link shows where its remote listens; an inbound one shows only its host.
  if (endpoint === undefined || link.outbound) return endpoint;
  return { host: endpoint.host, port: defaultPort };
}

/** Why the remote did not take us in. */
export function remoteFull({ limit }: Redirect): WeaveError {
  return new WeaveError("REMOTE_FULL", `remote has reached its connection limit (${limit})`, {
    remedy:
      "nothing needs to be done while other peers lead to it; else raise its --conn-limit, or " +
      "connect to another peer",
  });
}
