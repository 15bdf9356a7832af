import type { Server } from "node:net";
import { setSocketOption } from "../../ffi/socket.ts";
import { descriptorOf } from "./net-descriptor.ts";

const SOL_TCP = 6;
const TCP_MAXSEG = 2;

/** What every path of IPv6 has to carry (RFC 8200 §5), less the headers of IPv6 and TCP. */
const segmentMaxBytes = 1280 - 40 - 20;

/**
 * Has connections that are accepted use segments, in both directions, which pass where larger packets
 * vanish without a word: what peers tell each other does not stop for ever on a path whose overlay
 * finds out by itself what it carries.
 *
 * @throws SystemError
 */
export function keepSegmentsSmall(server: Server): void {
  const descriptor = descriptorOf(server);
  if (descriptor === undefined) return;
  const about = "bounding segments of TCP connections";
  setSocketOption(descriptor, SOL_TCP, TCP_MAXSEG, segmentMaxBytes, about);
}
