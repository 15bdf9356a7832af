import type { WeaveError } from "../base/errors.ts";
import type { Cidr } from "../base/ip.ts";
import type { Overlay } from "../base/overlay.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { RoutesSnapshot } from "../base/routes-snapshot.ts";
import type { SecretBox } from "../base/secret-box.ts";
import type { Extension } from "./extensions.ts";
import type { ProtocolVersion } from "./header.ts";
import type { PassageWatcher } from "./passage.ts";
import type { Transport } from "./transport.ts";

/** What an operator decides about the mesh. */
export interface MeshConfig {
  readonly name: PeerName;
  readonly nickname: string;
  /** Where peers listen unless an address says otherwise. */
  readonly port: number;
  /** Empty or missing: nothing is sealed. */
  readonly password?: Uint8Array;
  readonly minProtocolVersion: ProtocolVersion;
  readonly maxProtocolVersion?: ProtocolVersion;
  /** Whether to connect to peers that others are connected to. */
  readonly discovery: boolean;
  /** Connections allowed; 0 for any number. */
  readonly connectionLimit: number;
  /** Networks on which frames need no sealing if the remote agrees. */
  readonly trustedSubnets: readonly Cidr[];
  /** What to offer beyond the protocol of the original; missing for all that we can. */
  readonly extensions?: readonly Extension[];
  /** Of an earlier process whose datapath goes on by it: taken again unless somebody else has it. */
  readonly formerShortId?: number;
}

/** What the mesh uses of the rest of the router, and whom it tells. */
export interface MeshDependencies extends PassageWatcher {
  readonly transport: Transport;
  readonly overlay: Overlay;
  /** The machine's cipher, when it has a better one than the portable one. */
  readonly secretBox?: SecretBox;
  /** Addresses as typed, to be used at the next start. */
  saveTargets(targets: readonly string[]): void;
  /** The data plane's view changed. */
  onRoutes(snapshot: RoutesSnapshot): void;
  /** Nothing leads to a peer any more: forget its names and addresses. */
  onPeerGone(name: PeerName, nickname: string): void;
  onEvent?(event: MeshEvent): void;
}

/** What happened to our links and what others told us, for `weave events` and the like. */
export type MeshEvent = Readonly<
  | { kind: "connected" | "established" | "removed"; peer: PeerName; nickname: string }
  | { kind: "disconnected"; peer: PeerName; nickname: string; error: WeaveError }
  | { kind: "refused"; channel: string; origin: PeerName; error: WeaveError }
>;
