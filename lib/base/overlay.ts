import type { Endpoint } from "./endpoint.ts";
import type { WeaveError } from "./errors.ts";
import type { PeerName } from "./peer-name.ts";

/**
 * The contract between the mesh and the data overlay: one {@link OverlayLink} rides on each TCP
 * connection between two peers (mesh-protocol §7, sleeve §6).
 *
 *   prepared ──confirm──▶ confirmed ──peer acknowledges──▶ established
 *       └───────────────────────┴───── stop or failure ─────────┴──▶ stopped
 */
export interface Overlay {
  /** Features for the introduction, e.g. `Overlays` → `sleeve`. */
  features(): ReadonlyMap<string, string>;
  /** What it can do beyond the original with peers that can as well: name → version. */
  extensions?(): ReadonlyMap<OverlayExtension, number>;
  /** Called after a successful introduction. @throws WeaveError `OVERLAY_NONE_COMMON` */
  prepare(parameters: OverlayLinkParameters): OverlayLink;
}

/**
 * `sleeve-aes-gcm`: frames of sleeve are sealed with AES-256-GCM. `sleeve-ipv6`: they may travel by
 * IPv6. `fastdp-heartbeats`: neighbours on the fast datapath hear each other every second and say when
 * they do not. `fastdp-mtu`: they say what size of heartbeats gets through.
 */
export type OverlayExtension =
  | "sleeve-aes-gcm"
  | "sleeve-ipv6"
  | "fastdp-heartbeats"
  | "fastdp-mtu";

export interface OverlayLinkParameters {
  readonly local: PeerName;
  readonly remote: PeerName;
  /** XOR of both sides' connection ids: the same number at both ends. */
  readonly connectionUid: bigint;
  /** Whether we dialled. Decides nonce polarity and who learns the other's UDP address. */
  readonly outbound: boolean;
  /** Both ends of the TCP connection. */
  readonly localAddress: Endpoint;
  readonly remoteAddress: Endpoint;
  /** 32 octets, or `undefined` when frames travel in clear. */
  readonly sessionKey: Uint8Array | undefined;
  /** Whether this cluster has a password: decides what status shows. */
  readonly passwordSet: boolean;
  readonly remoteFeatures: ReadonlyMap<string, string>;
  /** What both peers can do beyond the original: name → the lower of both versions. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Wall clock in milliseconds, for status. */
  now(): number;
  /** Sends a protocol message over the TCP connection; `tag` is 1, 2, 3 or 7. */
  send(tag: number, body: Uint8Array): void;
  /** Our frames reach the peer. Called at most once. */
  established(): void;
  /** No overlay works any more; the connection closes with this error. */
  failed(error: WeaveError): void;
}

export interface OverlayLink {
  /** The connection was accepted: start talking. */
  confirm(): void;
  /** A protocol message with tag 1, 2, 3 or 7. Whatever does not fit is ignored, never fatal. */
  control(tag: number, body: Uint8Array): void;
  stop(): void;
  describe(): OverlayLinkStatus;
  /** Of every overlay of it that counts each frame once, at both ends alike; missing for none. */
  frameCounts?(): readonly FrameCounts[];
}

/** Frames of containers since some moment; whole numbers that only grow, or begin anew. */
export interface FrameCounts {
  readonly overlay: string;
  readonly sent: number;
  readonly received: number;
}

/** What `status connections` and `report` show of a link. */
export interface OverlayLinkStatus {
  /** `sleeve`, `fastdp`, or `none` before one is chosen. */
  readonly name: string;
  /** Shown as `key=value` in key order; `name` is not repeated here. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why this overlay, and why not a better one: a sentence for status and report. */
  readonly reason: string;
  /** Whether both peers have a better one that does not work between them at the moment. */
  readonly degraded: boolean;
  /** Wall clock since when frames take this overlay, milliseconds. */
  readonly sinceMs: number;
  /** How often an overlay was given up for a while because heartbeats stayed away; missing for never. */
  readonly losses?: number;
  /** By all overlays of the link together; missing where nothing counts. */
  readonly traffic?: LinkTraffic;
  /** The same by overlay: the present one, and others that have carried anything. */
  readonly carried?: readonly OverlayTraffic[];
}

export interface OverlayTraffic {
  readonly overlay: string;
  readonly traffic: LinkTraffic;
}

/**
 * Frames of containers that a link has carried since it was established, those that only pass
 * through this host included. Octets are those of Ethernet frames before encapsulation, as near as
 * what carries them can count. Whole numbers that only grow while the link lives: who wants rates
 * reads twice.
 */
export interface LinkTraffic {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
}

export const noTraffic: LinkTraffic = {
  sentPackets: 0,
  sentBytes: 0,
  receivedPackets: 0,
  receivedBytes: 0,
};

export function addTraffic(a: LinkTraffic, b: LinkTraffic): LinkTraffic {
  return {
    sentPackets: a.sentPackets + b.sentPackets,
    sentBytes: a.sentBytes + b.sentBytes,
    receivedPackets: a.receivedPackets + b.receivedPackets,
    receivedBytes: a.receivedBytes + b.receivedBytes,
  };
}
