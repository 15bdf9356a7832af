import { errorText, WeaveError } from "../base/errors.ts";
import { type PeerName, parsePeerName } from "../base/peer-name.ts";

/** How a peer without stored data comes to a ring (ipam §2). */
export type InitMode =
  /** Votes. `peerCount` of 0 means: count the configured targets when the election starts. */
  | { readonly kind: "consensus"; readonly peerCount: number }
  /** Divides the range among these peers at once, without an election. */
  | { readonly kind: "seed"; readonly seeds: readonly PeerName[] }
  /** Never votes: waits for a ring, or asks others to elect. */
  | { readonly kind: "observer" };

export const defaultInitMode: InitMode = { kind: "consensus", peerCount: 0 };

/**
 * Reads the value of `--ipalloc-init`.
 *
 * @throws WeaveError `IPAM_INIT_MODE` with the original's wording, without its lead
 */
export function parseInitMode(text: string): InitMode {
  const equals = text.indexOf("=");
  const mode = equals < 0 ? text : text.slice(0, equals);
  const parameter = equals < 0 ? undefined : text.slice(equals + 1);
  switch (mode) {
    case "":
    case "consensus":
      return parameter === undefined
        ? defaultInitMode
        : { kind: "consensus", peerCount: parseCount(parameter) };
    case "seed":
      return parseSeeds(parameter);
    case "observer":
      if (parameter !== undefined) throw refuse("observer mode takes no parameter");
      return { kind: "observer" };
    default:
      throw refuse(`unknown mode: ${mode}`);
  }
}

/** Votes needed, given how many targets are configured, this peer included. */
export function quorumOf(mode: InitMode, targetPeers: number): number {
  const given = mode.kind === "consensus" ? mode.peerCount : 0;
  return Math.floor((given > 0 ? given : targetPeers) / 2) + 1;
}

function parseCount(text: string): number {
  const refuseCount = (reason: string): WeaveError =>
    refuse(`bad consensus parameter: strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuseCount("invalid syntax");
  const count = Number(text);
  if (!Number.isSafeInteger(count)) throw refuseCount("value out of range");
  return Math.max(0, count);
}

function parseSeeds(text: string | undefined): InitMode {
  if (text === undefined) throw refuse("seed mode requires peer name list");
  if (text === "") return defaultInitMode;
  try {
    return { kind: "seed", seeds: text.split(",").map(parsePeerName) };
  } catch (cause) {
    throw refuse(`bad seed parameter: error parsing peer names: ${errorText(cause)}`, cause);
  }
}

function refuse(message: string, cause?: unknown): WeaveError {
  return new WeaveError("IPAM_INIT_MODE", message, {
    remedy: "give consensus, consensus=<number of peers>, seed=<name>,… or observer",
    ...(cause === undefined ? {} : { cause }),
  });
}
