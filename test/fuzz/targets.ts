import type { FuzzTarget } from "./target.ts";
import { gobTarget } from "./targets/gob.ts";
import { handshakeTarget, sealedHandshakeTarget } from "./targets/handshake.ts";
import { gossipTargets, messagesTarget } from "./targets/mesh.ts";

/** Everything that reads octets of strangers. */
export const targets: readonly FuzzTarget[] = [
  gobTarget,
  handshakeTarget,
  sealedHandshakeTarget,
  messagesTarget,
  ...gossipTargets,
];
