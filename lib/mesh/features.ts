import { WeaveError } from "../base/errors.ts";
import { cutNickname } from "../base/nickname.ts";
import { formatPeerName, noPeer, type PeerName, parsePeerName } from "../base/peer-name.ts";
import { decodeGob, encodeGob, gob } from "../wire/gob.ts";
import { type Extension, extensionsFeature, formatExtensions } from "./extensions.ts";
import type { ProtocolVersion } from "./header.ts";

/**
 * What peers tell each other about themselves in the introduction (mesh-protocol §4.4): a gob map
 * of text to text, in any order, definition included.
 *
 *   ┌────────────────────────────────┬──────────────────┬───────┬─────┬───────┬───
 *   │ 0eff81040102ff8200010c010c0000 │ length id 00     │ count │ key │ value │ …
 *   │ defines map[string]string      │ of the value     │       │     │       │
 *   └────────────────────────────────┴──────────────────┴───────┴─────┴───────┴───
 */
export type Features = ReadonlyMap<string, string>;

/** Octets of all features as sent. Real ones take 200; strangers shall not make us hold more. */
export const featuresMaxBytes = 64 * 1024;

export const featuresGob = gob.map(gob.string, gob.string);

/** Presence means that overlay messages carry an index (mesh-protocol §7.3). */
export const overlaysFeature = "Overlays";

/** The public key of this connection as hex digits, in version 1 with a password. */
export const publicKeyFeature = "PublicKey";

/** All that version 1 sends and honours, besides the public key. */
const featuresOfVersion1: ReadonlySet<string> = new Set([
  "PeerNameFlavour",
  "Name",
  "NickName",
  "UID",
  "ConnID",
]);

/** The only flavour of peer names that this network uses. */
const flavour = "mac";

const shortIdMax = 4095;

const shownMaxLength = 40;

/** Writes features in the map's own order. */
export function encodeFeatures(features: Features): Uint8Array {
  return encodeGob(featuresGob, [...features]);
}

/** @throws GobError */
export function decodeFeatures(bytes: Uint8Array): Features {
  return new Map(decodeGob(featuresGob, bytes));
}

/** What we say about ourselves on one connection. */
export interface OwnFeatures {
  readonly name: PeerName;
  readonly nickname: string;
  readonly uid: bigint;
  readonly connectionId: bigint;
  readonly shortId: number | undefined;
  /** Whether the remote's address lies in our trusted subnets. */
  readonly trusted: boolean;
  readonly overlay: Features;
  /** Missing or empty: we speak as the original does. */
  readonly extensions?: readonly Extension[];
}

/** Our features as `version` permits them, without the public key. */
export function ownFeatures(own: OwnFeatures, version: ProtocolVersion): Map<string, string> {
  const features = new Map([
    ["PeerNameFlavour", flavour],
    ["Name", formatPeerName(own.name)],
    ["NickName", own.nickname],
    ["UID", own.uid.toString()],
    ["ConnID", own.connectionId.toString()],
  ]);
  if (version === 1) return features;
  if (own.shortId !== undefined) features.set("ShortID", own.shortId.toString());
  features.set("Trusted", own.trusted.toString());
  for (const [key, value] of own.overlay) features.set(key, value);
  const extensions = formatExtensions(own.extensions ?? []);
  if (extensions !== "") features.set(extensionsFeature, extensions);
  return features;
}

/** What a remote says about itself, judged. */
export interface RemoteFeatures {
  readonly name: PeerName;
  readonly nickname: string;
  readonly uid: bigint;
  readonly connectionId: bigint;
  readonly shortId: number | undefined;
  /** Whether our address lies in its trusted subnets. */
  readonly trustsUs: boolean;
  /** Everything that this version honours, unknown features included. */
  readonly features: Features;
}

/**
 * Judges what a remote sent, each feature by its own rule.
 *
 * @throws WeaveError `FEATURE_MISSING`, `FEATURE_VALUE`, `FEATURE_FLAVOUR` or `PEER_NAME_FORMAT`
 */
export function parseFeatures(sent: Features, version: ProtocolVersion): RemoteFeatures {
  const features = version === 1 ? onlyVersion1(sent) : sent;
  const theirFlavour = required(features, "PeerNameFlavour");
  if (theirFlavour !== flavour) throw flavourMismatch(theirFlavour);
  const shortId = features.get("ShortID");
  const trusted = features.get("Trusted");
  return {
    name: parseName(required(features, "Name")),
    nickname: cutNickname(required(features, "NickName")),
    uid: parseUint64("UID", required(features, "UID")),
    connectionId: parseUint64("ConnID", required(features, "ConnID")),
    shortId: shortId === undefined ? undefined : parseShortId(shortId),
    trustsUs: trusted !== undefined && parseTrusted(trusted),
    features,
  };
}

function onlyVersion1(sent: Features): Features {
  return new Map([...sent].filter(([key]) => featuresOfVersion1.has(key)));
}

function required(features: Features, key: string): string {
  const value = features.get(key);
  if (value !== undefined) return value;
  throw new WeaveError("FEATURE_MISSING", `field ${key} is missing`, { remedy: foreignRemedy });
}

function parseName(text: string): PeerName {
  if (text.length > shownMaxLength) throw badValue("Name", text, "is no peer name");
  const name = parsePeerName(text);
  if (name !== noPeer) return name;
  throw badValue("Name", text, "stands for no peer");
}

/** Plain decimal digits; leading zeros are tolerated. */
function parseUint64(key: string, text: string): bigint {
  if (!/^\d+$/.test(text)) throw badValue(key, text, "is not a decimal number");
  const digits = text.replace(/^0+(?=\d)/, "");
  // The length is judged first: converting a long text costs more than its octets.
  const value = digits.length > 20 ? undefined : BigInt(digits);
  if (value === undefined || value >= 1n << 64n) throw badValue(key, text, "exceeds 64 bits");
  return value;
}

function parseShortId(text: string): number {
  const value = parseUint64("ShortID", text);
  if (value > shortIdMax) throw badValue("ShortID", text, `exceeds ${shortIdMax}`);
  return Number(value);
}

function parseTrusted(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw badValue("Trusted", text, "is neither true nor false");
}

const foreignRemedy =
  "see which program runs there: it introduces itself as no release of Weave does";

function badValue(key: string, text: string, problem: string): WeaveError {
  return new WeaveError("FEATURE_VALUE", `field ${key}: "${shown(text)}" ${problem}`, {
    remedy: foreignRemedy,
  });
}

/** What a stranger sent, short enough for a log line. */
function shown(text: string): string {
  return text.length > shownMaxLength ? `${text.slice(0, shownMaxLength)}…` : text;
}

function flavourMismatch(theirs: string): WeaveError {
  return new WeaveError(
    "FEATURE_FLAVOUR",
    `Peer name flavour mismatch (ours: '${flavour}', theirs: '${shown(theirs)}')`,
    { remedy: "the remote belongs to another kind of mesh: connect to peers of this network only" },
  );
}
