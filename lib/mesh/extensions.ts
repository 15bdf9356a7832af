import type { OverlayExtension } from "../base/overlay.ts";

/**
 * What peers of our own kind may do with each other beyond the protocol of the original, settled in
 * the introduction of each connection by the feature `WeaveExtensions`, which everybody else ignores
 * (docs/protocol.md).
 *
 *   ┌──────┬───┬─────────┬───────┬──────┬───
 *   │ name │ / │ version │ blank │ name │ …      digests/1 redirects/1 …
 *   └──────┴───┴─────────┴───────┴──────┴───
 *
 * A connection has the extensions that both sides name, each in the lower of both versions: whoever
 * offers a version also speaks those before it.
 */
export interface Extension {
  /** Letters, digits and hyphens. */
  readonly name: ExtensionName;
  /** From 1. */
  readonly version: number;
}

/**
 * `digests`: states are compared before they are sent; `link-counts`: neighbours compare how many
 * frames each has sent and received; `redirects`: whoever is full says so, and where to go. Others
 * are up to the overlay.
 */
export type ExtensionName = "digests" | "link-counts" | "redirects" | OverlayExtension;

/** By name, in the version that both sides speak. */
export type NegotiatedExtensions = ReadonlyMap<ExtensionName, number>;

export const extensionsFeature = "WeaveExtensions";

/** All that the mesh can do. */
export const ownExtensions: readonly Extension[] = [
  { name: "digests", version: 1 },
  { name: "link-counts", version: 1 },
  { name: "redirects", version: 1 },
];

/** Extensions that are looked at; whatever a remote names beyond is as good as not named. */
export const extensionsMax = 64;

/** The value of the feature. */
export function formatExtensions(extensions: readonly Extension[]): string {
  return extensions.map(({ name, version }) => `${name}/${version}`).join(" ");
}

/** What a connection between `own` and a remote with these features may use; odd words are skipped. */
export function negotiateExtensions(
  own: readonly Extension[],
  remoteFeatures: ReadonlyMap<string, string>,
): NegotiatedExtensions {
  const negotiated = new Map<ExtensionName, number>();
  const theirs = parseExtensions(remoteFeatures.get(extensionsFeature) ?? "");
  for (const { name, version } of own) {
    const theirVersion = theirs.get(name);
    if (theirVersion !== undefined) negotiated.set(name, Math.min(version, theirVersion));
  }
  return negotiated;
}

/** Versions by name; of several with one name the first counts. */
function parseExtensions(text: string): Map<string, number> {
  const versions = new Map<string, number>();
  for (const word of text.split(" ", extensionsMax)) {
    const match = /^([a-zA-Z0-9-]{1,40})\/([1-9]\d{0,5})$/.exec(word);
    if (match === null) continue;
    const [, name, version] = match;
    if (!versions.has(name!)) versions.set(name!, Number(version));
  }
  return versions;
}
