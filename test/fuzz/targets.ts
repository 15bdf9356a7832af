import type { FuzzTarget } from "./target.ts";
import { dnsQueryTarget, dnsReplyTarget, dnsStreamTarget } from "./targets/dns.ts";
import { dockerProxyTarget } from "./targets/docker-proxy.ts";
import { gobTarget } from "./targets/gob.ts";
import { handshakeTarget, sealedHandshakeTarget } from "./targets/handshake.ts";
import { httpTarget, templateTarget } from "./targets/http.ts";
import { gossipTargets, messagesTarget } from "./targets/mesh.ts";
import { netlinkTarget } from "./targets/netlink.ts";
import { coalescerTarget, segmenterTarget } from "./targets/offload.ts";
import { rotatingSleeveTarget } from "./targets/rotating.ts";
import { framesTarget, plainSleeveTarget, sealedSleeveTarget } from "./targets/sleeve.ts";
import {
  databaseTarget,
  launchOptionsTarget,
  originalStateTarget,
  storedTarget,
} from "./targets/stored.ts";

import { wordsTarget } from "./targets/words.ts";

/** Everything that reads octets of strangers. */
export const targets: readonly FuzzTarget[] = [
  gobTarget,
  handshakeTarget,
  sealedHandshakeTarget,
  messagesTarget,
  ...gossipTargets,
  plainSleeveTarget,
  sealedSleeveTarget,
  rotatingSleeveTarget,
  framesTarget,
  segmenterTarget,
  coalescerTarget,
  dnsQueryTarget,
  dnsReplyTarget,
  dnsStreamTarget,
  httpTarget,
  templateTarget,
  dockerProxyTarget,
  netlinkTarget,
  launchOptionsTarget,
  storedTarget,
  originalStateTarget,
  databaseTarget,
  wordsTarget,
];
