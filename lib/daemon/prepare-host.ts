import { WeaveError } from "../base/errors.ts";
import { parseCidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import { capturedMtu, type PreparedBridge, prepareBridge } from "../host/bridge.ts";
import type { DeviceNames } from "../host/device-names.ts";
import type { Netlink } from "../host/netlink/conversation.ts";
import { listLinks } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { checkRouteOverlap } from "../host/route-overlap.ts";
import { chooseWiring, detectWiring } from "../host/wiring.ts";
import type { LaunchOptions } from "./launch-options.ts";

/** The MTU of bridge, tap and containers: as asked for, or as large as the wiring can carry. */
export function bridgeMtu(options: Pick<LaunchOptions, "mtu">): number {
  return options.mtu === 0 ? capturedMtu : options.mtu;
}

/**
 * Makes this host ready for a router: looks for what stands in the way, then makes or mends bridge
 * and tap.
 *
 * @throws WeaveError `ROUTE_OVERLAP`, `WIRING_DIFFERS`, `WIRING_INCONSISTENT`, `BRIDGE_FAILED`
 */
export function prepareHost(
  options: LaunchOptions,
  devices: DeviceNames,
  name: PeerName,
  log: Log,
): PreparedBridge {
  using netlink = openRoute();
  checkWiring(netlink, options, devices);
  if (options.ipalloc !== undefined) checkRange(netlink, options.ipalloc, devices.bridge, log);
  const prepared = prepareBridge(netlink, { names: devices, peer: name, mtu: bridgeMtu(options) });
  for (const sentence of prepared.mended) log.info(sentence);
  return prepared;
}

/** Devices of another wiring than the one that this router uses are not taken over silently. */
function checkWiring(netlink: Netlink, options: LaunchOptions, devices: DeviceNames): void {
  const bridged = options.bridgedFastdp ? "bridged_fastdp" : "fastdp";
  chooseWiring({
    requested: options.fastdp ? bridged : "bridge",
    existing: detectWiring(listLinks(netlink), devices),
    // Frames are carried by sleeve, which captures them at the bridge.
    datapathSupported: false,
  });
}

/** A default that overlaps a route of the host is refused; a range that was asked for is not. */
function checkRange(
  netlink: Netlink,
  ipalloc: NonNullable<LaunchOptions["ipalloc"]>,
  bridge: string,
  log: Log,
): void {
  try {
    checkRouteOverlap(netlink, parseCidr(ipalloc.range), bridge);
  } catch (error) {
    if (!(error instanceof WeaveError)) throw error;
    if (ipalloc.rangeGiven) {
      log.warn(`Specified --ipalloc-range ${ipalloc.range}: ${error.message}`);
      return;
    }
    throw new WeaveError(
      error.code,
      `${error.message}\nERROR: Default --ipalloc-range ${ipalloc.range} overlaps with existing route on host.`,
      { remedy: "You must pick another range and set it on all hosts.", cause: error },
    );
  }
}
