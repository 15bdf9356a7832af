import type { PeerName } from "../base/peer-name.ts";
import type { Random } from "../base/random.ts";
import type { SecretBox } from "../base/secret-box.ts";
import type { Extension } from "./extensions.ts";
import { type Features, overlaysFeature, ownFeatures } from "./features.ts";
import { type ProtocolVersion, versionMax } from "./header.ts";
import { type Admission, Introduction } from "./introduction.ts";
import { newKeyPair } from "./session.ts";

/** What a connection tells the remote, and on what terms it speaks. */
export interface ConnectionConfig {
  readonly self: PeerName;
  readonly nickname: string;
  readonly uid: bigint;
  readonly minVersion: ProtocolVersion;
  readonly maxVersion?: ProtocolVersion;
  /** Empty or missing: nothing is sealed. */
  readonly password: Uint8Array | undefined;
  /** Whether this IP address lies in our trusted subnets. */
  trusts(remoteIp: string): boolean;
  readonly shortId: number | undefined;
  readonly overlayFeatures: Features;
  /** What we can do beyond the original, with whoever can as well. */
  readonly extensions?: readonly Extension[];
  readonly secretBox?: SecretBox;
  /** Judges who dialled us, where not everybody can be taken in. */
  readonly admission?: Admission;
}

/** Who the remote says it is. */
export interface RemoteIdentity {
  readonly name: PeerName;
  readonly nickname: string;
  readonly uid: bigint;
  readonly shortId: number | undefined;
  readonly features: Features;
}

/** What is settled for a single connection before the first octet. */
export interface ConnectionTerms {
  /** Whether we dialled. */
  readonly outbound: boolean;
  /** Our half of the connection's UID. */
  readonly connectionId: bigint;
  /** Whether the remote's address lies in our trusted subnets. */
  readonly trusted: boolean;
}

/** The introduction of a connection on these terms; `random` gives it its key. */
export function newIntroduction(
  config: ConnectionConfig,
  terms: ConnectionTerms,
  random: Random,
): Introduction {
  const { self: name, nickname, uid, shortId, overlayFeatures: overlay } = config;
  const { extensions = [] } = config;
  const { connectionId, trusted, outbound } = terms;
  const own = { name, nickname, uid, connectionId, shortId, trusted, overlay, extensions };
  return new Introduction({
    outbound,
    versions: { min: config.minVersion, max: config.maxVersion ?? versionMax },
    password: config.password,
    newKeyPair: () => newKeyPair(random),
    features: (version) => ownFeatures(own, version),
    secretBox: config.secretBox,
    admission: config.admission,
  });
}

/** Whether overlay messages carry an index: both sides named their overlays. */
export function overlaysExchanged(
  config: ConnectionConfig,
  version: ProtocolVersion,
  remoteFeatures: Features,
): boolean {
  const offered = version !== 1 && config.overlayFeatures.has(overlaysFeature);
  return offered && remoteFeatures.has(overlaysFeature);
}
