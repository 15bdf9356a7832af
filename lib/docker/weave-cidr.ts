/**
 * Which containers of an engine get a place on the network (docker.md §4). The first row that fits
 * decides:
 *
 *   network of the container                      host, container:…     left alone
 *                                                 a network by name     left alone
 *   (none, default, bridge, or not said)
 *   WEAVE_CIDR=none                                                     left alone
 *   WEAVE_CIDR=<words>                                                  those addresses
 *   WEAVE_CIDR=                                                         the default subnet
 *   no variable                                   --no-default-ipalloc  left alone
 *                                                 otherwise             the default subnet
 */
export type WeaveCidrDecision =
  /** Address tokens as `weave attach` takes them; none of them: any address of the default subnet. */
  | { readonly attach: true; readonly addresses: readonly string[] }
  /** Why not, as the rest of a sentence that begins with the container. */
  | { readonly attach: false; readonly reason: string };

/** What decides about a container, whether it runs or is about to be made. */
export interface ContainerChoice {
  /** `HostConfig.NetworkMode`; empty when it was not said. */
  readonly networkMode: string;
  /** `NAME=value` each; of one that is there several times the first counts. */
  readonly env: readonly string[];
}

const variable = "WEAVE_CIDR=";

/** Network modes of containers that get our interface beside, or instead of, the engine's. */
const ordinaryModes: ReadonlySet<string> = new Set(["", "none", "default", "bridge"]);

/** @param byDefault whether containers that say nothing get an address; not with `--no-default-ipalloc` */
export function weaveCidrDecision(
  { networkMode, env }: ContainerChoice,
  { byDefault }: { readonly byDefault: boolean },
): WeaveCidrDecision {
  if (networkMode === "host") return leftAlone("has the network of its host");
  if (networkMode.startsWith("container:"))
    return leftAlone("has the network of another container");
  if (!ordinaryModes.has(networkMode)) return leftAlone(`is on the network ${networkMode}`);
  const value = env.find((each) => each.startsWith(variable))?.slice(variable.length);
  if (value === "none") return leftAlone("has WEAVE_CIDR=none");
  if (value !== undefined) return { attach: true, addresses: words(value) };
  if (!byDefault) return leftAlone("has no WEAVE_CIDR, and --no-default-ipalloc was given");
  return { attach: true, addresses: [] };
}

function leftAlone(reason: string): WeaveCidrDecision {
  return { attach: false, reason };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
