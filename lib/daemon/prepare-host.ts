import { errorText, WeaveError } from "../base/errors.ts";
import { parseCidr, tryParseIpv4 } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import { capturedMtu, prepareBridge, prepareDatapathBridge } from "../host/bridge.ts";
import type { StandingDevices } from "../host/bridge-keeper.ts";
import { fitContainerMtus } from "../host/container-mtu.ts";
import type { DatapathBackend, HostDatapath } from "../host/datapath/backend.ts";
import type { DeviceNames } from "../host/device-names.ts";
import { ipsecRefusal } from "../host/ipsec/kernel-ipsec.ts";
import type { Netlink } from "../host/netlink/conversation.ts";
import { listLinks } from "../host/netlink/link.ts";
import { openRoute } from "../host/netlink/open.ts";
import { checkRouteOverlap } from "../host/route-overlap.ts";
import { widestUnderlay } from "../host/underlay-mtu.ts";
import { detectWiring, possibleDatapaths, type Wiring } from "../host/wiring.ts";
import { compatibleMtu, mtuWithin } from "../overlay/fastdp/link-mtu.ts";
import type { LaunchOptions } from "./launch-options.ts";

/** This host with bridge and whatever carries frames from it. */
export interface PreparedHost {
  /** What the router goes on with; its devices stand. */
  readonly standing: StandingDevices;
  /** Missing when frames are captured and sleeve carries them all. */
  readonly datapath: HostDatapath | undefined;
  /** Why the fast datapath is not used: a sentence by backend, or one by `fastdp` for all. */
  readonly refusals: ReadonlyMap<string, string>;
  /** Names of the devices that have to stand. */
  devices(): readonly string[];
  /** Makes again what is missing. */
  mend(netlink: Netlink): StandingDevices;
}

/**
 * Makes this host ready for a router: looks for what stands in the way, then makes or mends bridge
 * and datapath, or bridge and tap where no datapath can be had. A datapath that cannot run is a
 * reason to go on without it, never to stop.
 *
 * @throws WeaveError `ROUTE_OVERLAP`, `WIRING_DIFFERS`, `WIRING_INCONSISTENT`, `BRIDGE_FAILED`
 */
export function prepareHost(
  options: LaunchOptions,
  names: DeviceNames,
  peer: PeerName,
  backends: readonly DatapathBackend[],
  log: Log,
): PreparedHost {
  using netlink = openRoute();
  const existing = detectWiring(listLinks(netlink), names);
  const wiring = requestedWiring(options);
  const possible = possibleDatapaths(wiring, existing);
  if (options.ipalloc !== undefined) checkRange(netlink, options.ipalloc, names.bridge, log);
  const host = new HostBuilder({ netlink, options, names, peer, log });
  const refusals = new Map<string, string>();
  const unwanted = whyUnwanted(options);
  if (unwanted !== undefined) refusals.set("fastdp", unwanted);
  for (const name of unwanted === undefined ? possible : []) {
    const backend = backends.find((each) => each.name === name);
    if (backend === undefined) continue;
    const outcome = backend.refusal() ?? host.tryDatapath(backend);
    if (typeof outcome !== "string") {
      for (const other of backends) if (other !== backend) host.abandon(other);
      const { adopted, mtu } = outcome.datapath;
      const how = adopted === undefined ? "" : ", as an earlier router left it";
      log.info(`fastdp: the ${name} datapath carries frames, MTU ${mtu}${how}`);
      return { ...outcome, refusals };
    }
    refusals.set(name, outcome);
    log.info(`fastdp: the ${name} datapath cannot run here: ${outcome}`);
  }
  for (const backend of backends) host.abandon(backend);
  return { ...host.capture(), refusals };
}

interface HostWithDatapath extends Omit<PreparedHost, "refusals"> {
  readonly datapath: HostDatapath;
}

function requestedWiring(options: LaunchOptions): Wiring {
  if (!options.fastdp) return "bridge";
  return options.bridgedFastdp ? "bridged_fastdp" : "fastdp";
}

/** Why no datapath is even tried; `undefined` when one is. */
function whyUnwanted(options: LaunchOptions): string | undefined {
  if (!options.fastdp) return "switched off by --no-fastdp";
  if (options.password !== undefined && options.trustedSubnets.length === 0) {
    const refusal = ipsecRefusal();
    if (refusal !== undefined) return `frames are encrypted, and ${refusal}`;
  }
  return undefined;
}

class HostBuilder {
  readonly #netlink: Netlink;
  readonly #options: LaunchOptions;
  readonly #names: DeviceNames;
  readonly #peer: PeerName;
  readonly #log: Log;

  constructor(parts: {
    readonly netlink: Netlink;
    readonly options: LaunchOptions;
    readonly names: DeviceNames;
    readonly peer: PeerName;
    readonly log: Log;
  }) {
    this.#netlink = parts.netlink;
    this.#options = parts.options;
    this.#names = parts.names;
    this.#peer = parts.peer;
    this.#log = parts.log;
  }

  /** Bridge and tap: every frame is captured. */
  capture(): Omit<PreparedHost, "refusals"> {
    const names = this.#names;
    const { mtu: asked } = this.#options;
    // Sleeve finds out by itself what each path carries.
    const mtu = asked === "auto" || asked === 0 ? capturedMtu : asked;
    const mend = (netlink: Netlink): StandingDevices => {
      const { capture, mended } = prepareBridge(netlink, { names, peer: this.#peer, mtu });
      return { captureInterface: capture.index, mended };
    };
    return {
      standing: this.#tell(mend(this.#netlink)),
      datapath: undefined,
      devices: () => [names.bridge, names.tap, names.capture],
      mend,
    };
  }

  /** Bridge and datapath, or why this datapath cannot be had. */
  tryDatapath(backend: DatapathBackend): HostWithDatapath | string {
    const names = this.#names;
    const mtu = this.#datapathMtu();
    const bridgeOptions = { names, peer: this.#peer, mtu };
    const { bridge, mended } = prepareDatapathBridge(this.#netlink, bridgeOptions);
    this.#tell({ mended });
    let datapath: HostDatapath;
    try {
      // What an earlier process sent in clear may have to be encrypted now.
      if (this.#options.password !== undefined) backend.remove(names);
      const port = this.#options.port + 1;
      datapath = backend.open({ names, bridge: bridge.index, mtu, port });
    } catch (error) {
      return errorText(error);
    }
    const raises = this.#options.mtu === "auto";
    fitContainerMtus(this.#netlink, names.bridge, { mtu, raises }, this.#log);
    return {
      standing: { captureInterface: datapath.handoverPort, mended: [] },
      datapath,
      devices: () => [names.bridge, ...datapath.devices()],
      mend: (netlink) => {
        const standing = prepareDatapathBridge(netlink, bridgeOptions);
        const more = datapath.mend(standing.bridge.index);
        return {
          captureInterface: datapath.handoverPort,
          mended: [...standing.mended, ...more],
        };
      },
    };
  }

  /** What containers get: with `auto` as much as this host's own interfaces carry. */
  #datapathMtu(): number {
    const { mtu, host, password, dockerBridge } = this.#options;
    if (mtu !== "auto") return mtu || compatibleMtu;
    const others = [this.#names.bridge, dockerBridge];
    const underlay = widestUnderlay(this.#netlink, tryParseIpv4(host), others);
    if (underlay === undefined) {
      this.#log.warn(
        `no interface leads to other hosts: containers get an MTU of ${compatibleMtu}`,
      );
      return compatibleMtu;
    }
    const within = mtuWithin(underlay.mtu, password !== undefined);
    this.#log.info(`${underlay.name} has an MTU of ${underlay.mtu}: containers get ${within}`);
    return within;
  }

  /** Nothing may go on forwarding behind the back of what is used instead. */
  abandon(backend: DatapathBackend): void {
    try {
      for (const name of backend.remove(this.#names)) {
        this.#log.info(`removed ${name} of the ${backend.name} datapath, which is not used`);
      }
    } catch (error) {
      this.#log.warn(`cannot remove the ${backend.name} datapath: ${errorText(error)}`);
    }
  }

  #tell<Standing extends { readonly mended: readonly string[] }>(standing: Standing): Standing {
    for (const sentence of standing.mended) this.#log.info(sentence);
    return standing;
  }
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
