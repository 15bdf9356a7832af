import type { WeaveError } from "../base/errors.ts";
import type { LinkTraffic, OverlayExtension, OverlayLinkParameters } from "../base/overlay.ts";
import type { PeerName } from "../base/peer-name.ts";

/**
 * One way of carrying frames between peers: sleeve, the fast datapath, or something newer. The
 * chooser runs all engines that both peers have side by side on every link, and lets the best one
 * carry.
 */
export interface OverlayEngine {
  /** As announced in the `Overlays` feature: no blanks. */
  readonly name: string;
  /** Features of its own for the introduction. */
  features?(): ReadonlyMap<string, string>;
  /** What it can do beyond the original: name → version. */
  extensions?(): ReadonlyMap<OverlayExtension, number>;
  /**
   * Makes a passive link for a new connection. Events come after this has returned.
   *
   * @throws WeaveError when this engine cannot serve the connection; others still may
   */
  prepare(parameters: EngineLinkParameters, events: EngineLinkEvents): EngineLink;
  /** There is a new connection to a peer that does not have this engine, whatever it had before. */
  withoutPeer?(remote: PeerName): void;
}

export type EngineLinkParameters = Omit<
  OverlayLinkParameters,
  "now" | "send" | "established" | "failed"
>;

export interface EngineLinkEvents {
  /** A control message for the peer's engine of the same name; `tag` (0–255) is this engine's. */
  send(tag: number, body: Uint8Array): void;
  /** Our frames reach the peer. */
  established(): void;
  /** Whether the peer is heard; a link that was never reported counts as healthy. */
  health(healthy: boolean): void;
  /** The largest packet that the peer can deliver, whatever the path to it carries. */
  peerTakes(mtu: number): void;
  /** The underlay between both hosts carries no larger packets than these, outer headers included. */
  pathCarries(pathMtu: number): void;
  /** What packets of containers may have on this link, as far as that is found out; in octets. */
  mtuFound(mtu: number): void;
  /** This engine will not work on this connection any more. */
  failed(error: WeaveError): void;
}

export interface EngineLink {
  confirm(): void;
  /** A control message of the peer's engine; whatever does not fit is ignored. */
  control(tag: number, body: Uint8Array): void;
  /** Also called after a failure; calling it again does nothing. */
  stop(): void;
  /** What `status` shows, e.g. `mtu`. */
  attributes(): Readonly<Record<string, string | number | boolean>>;
  /** The peer can deliver no larger packets than these. */
  limit?(mtu: number): void;
  /** The underlay was found to carry no larger packets than these. */
  narrow?(pathMtu: number): void;
  /** Why frames should rather not take this link, as the end of a sentence about the overlay. */
  trouble?(): string | undefined;
  /** Frames of containers that it has carried; `undefined` where nothing counts. */
  traffic?(): LinkTraffic | undefined;
  /** Whether all of {@link traffic} is of this link, and a super-frame counts as what it is cut into. */
  readonly countsEachFrame?: boolean;
  /** Whether the frames of this connection are to take this link from now on. */
  carry?(carries: boolean): void;
}
