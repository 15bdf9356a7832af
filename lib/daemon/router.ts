import { controlApp, metricsApp, statusApp } from "../api/app.ts";
import { listen } from "../api/listen.ts";
import { toHex } from "../base/bytes.ts";
import { errorText } from "../base/errors.ts";
import { tryParseIpv4 } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { productVersion } from "../base/product-version.ts";
import type { Log, World } from "../base/world.ts";
import { openAead } from "../host/aead.ts";
import { BridgeKeeper } from "../host/bridge-keeper.ts";
import type { ContainerEngine } from "../host/container.ts";
import type { HostDatapath } from "../host/datapath/backend.ts";
import { DataPlane } from "../host/dataplane/data-plane.ts";
import { defaultDeviceNames } from "../host/device-names.ts";
import { ipsecRefusal, KernelIpsec, removeIpsecLeftovers } from "../host/ipsec/kernel-ipsec.ts";
import { machineWorld } from "../host/machine-world.ts";
import { openSecretBox } from "../host/secret-box.ts";
import { listenTcp, TcpTransport } from "../host/tcp.ts";
import { OverlayChooser } from "../overlay/chooser.ts";
import { FastdpOverlay, type FastdpOverlayOptions } from "../overlay/fastdp/overlay.ts";
import { SleeveOverlay } from "../overlay/sleeve/overlay.ts";
import { type ControlPlane, makeControlPlane } from "../peer/control-plane.ts";
import { SqliteAllocatorStore } from "./allocator-store.ts";
import { openDatabase } from "./database.ts";
import { datapathBackends } from "./datapath-backends.ts";
import { startHostServices } from "./host-services.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { LocalControl } from "./local-control.ts";
import { importOriginal } from "./original-import.ts";
import type { Paths } from "./paths.ts";
import { settlePeerName } from "./peer-identity.ts";
import { prepareHost } from "./prepare-host.ts";
import { bridgeSetting, datapathSetting } from "./remove-traces.ts";
import { beginRun, endRun } from "./run-mark.ts";
import { SettingsStore } from "./settings-store.ts";
import { Shutdown } from "./shutdown.ts";

export interface RouterEnvironment {
  readonly options: LaunchOptions;
  readonly paths: Paths;
  readonly log: Log;
  /** Missing when no container engine is asked. */
  readonly engine: ContainerEngine | undefined;
}

export interface StartedRouter {
  /** Tells this run from all others: 64 hex digits. */
  readonly id: string;
  stop(): Promise<void>;
}

/**
 * Starts everything that a router is, in this order, and stops it in the reverse order:
 *
 *   state ▸ name ▸ bridge and datapath ▸ data plane ▸ mesh, allocator, names ▸ exposed addresses,
 *         ▸ containers, DNS
 *         ▸ TCP listener ▸ control API ▸ connecting to peers
 *
 * When a step fails, those before it are undone. Bridge, datapath, containers and exposed
 * addresses outlive the router, so that containers of this host keep talking to each other.
 *
 * @throws WeaveError of whatever step failed
 */
export async function startRouter(environment: RouterEnvironment): Promise<StartedRouter> {
  const shutdown = new Shutdown();
  try {
    return await assemble(environment, shutdown);
  } catch (error) {
    environment.log.error(`cannot start: ${errorText(error)}`);
    await shutdown.run(environment.log);
    throw error;
  }
}

async function assemble(
  environment: RouterEnvironment,
  shutdown: Shutdown,
): Promise<StartedRouter> {
  const { options, paths, log } = environment;
  const world = machineWorld(log);
  const database = openDatabase(paths.database);
  shutdown.push("state", () => database.close());
  const settings = new SettingsStore(database);
  const isImported = importState(options, settings, new SqliteAllocatorStore(database), log);
  const { name, source } = settlePeerName(options, settings);
  log.info(
    `weave ${productVersion}; our name is ${formatPeerName(name)}(${options.nickname}), from ${source}`,
  );

  const devices = {
    ...defaultDeviceNames,
    bridge: options.weaveBridge,
    datapath: options.datapath,
  };
  settings.saveSetting(bridgeSetting, options.weaveBridge);
  settings.saveSetting(datapathSetting, options.datapath);
  const host = prepareHost(options, devices, name, datapathBackends, log);
  const { datapath } = host;
  const dataPlane = new DataPlane({
    local: name,
    captureInterface: host.standing.captureInterface,
    datapathMtu: datapath?.mtu,
    host: tryParseIpv4(options.host) ?? 0,
    port: options.port,
    captureBufferBytes: options.captureBufferMegabytes << 20,
    log,
  });
  shutdown.push("data plane", () => dataPlane.stop());
  await dataPlane.ready;

  const fastdp = datapath && startFastdp(world, environment, { name, dataPlane, datapath });
  if (fastdp !== undefined) shutdown.push("fast datapath", () => fastdp.stop());
  const formerShortId = datapath?.adopted?.self;
  const kept = { settings, database, refusals: host.refusals, formerShortId };
  const parts = { name, dataPlane, fastdp, ...kept };
  const plane = makePlane(world, environment, parts);
  shutdown.push("mesh", () => plane.stop());
  const services = await startHostServices({
    ...environment,
    world,
    plane,
    settings,
    devices,
    setResidents(macs) {
      dataPlane.setResidents(macs);
      fastdp?.setResidents(macs);
    },
  });
  shutdown.push("host services", () => services.stop());
  const keeper = new BridgeKeeper(world, {
    devices: () => host.devices(),
    prepare: (netlink) => host.mend(netlink),
    captureInterface: host.standing.captureInterface,
    recapture: (index) => dataPlane.recapture(index),
    mended: () => services.exposures.apply(),
  });
  shutdown.push("bridge keeper", () => keeper.stop());

  const listener = await listenTcp({ host: options.host, port: options.port }, (stream) =>
    plane.mesh.accepted(stream),
  );
  shutdown.push("TCP listener", () => listener.close());
  const control = new LocalControl({
    options,
    plane,
    services,
    dataPlane,
    capture: devices.capture,
    fastdp,
    refusals: host.refusals,
  });
  openApi(control, environment, shutdown);

  const goesOn = beginRun(settings, options.peers);
  const resumes = options.resume || goesOn || (isImported && options.peers.length === 0);
  plane.mesh.start(resumes ? settings.targets() : options.peers);
  control.setReady();
  return {
    id: toHex(world.random.fill(new Uint8Array(32))),
    stop() {
      endRun(settings);
      return shutdown.run(log);
    },
  };
}

/** Whether the state of a router of the original was taken over. */
function importState(
  { importDatabase }: LaunchOptions,
  settings: SettingsStore,
  allocations: SqliteAllocatorStore,
  log: Log,
): boolean {
  if (importDatabase === undefined) return false;
  return importOriginal(importDatabase, { settings, allocations }, log);
}

/** The overlay of a host with a datapath, which outlives it and goes on forwarding. */
function startFastdp(
  world: World,
  { options }: RouterEnvironment,
  parts: {
    readonly name: PeerName;
    readonly dataPlane: DataPlane;
    readonly datapath: HostDatapath;
  },
): FastdpOverlay {
  const { name: local, dataPlane, datapath } = parts;
  // By a process that did not stop in order. Nothing goes out by what it sealed any more.
  removeIpsecLeftovers();
  const overlay = new FastdpOverlay({
    ...{ world, local, datapath, controlPort: options.port },
    discoversMtu: options.mtu === "auto",
    forwards: (topology) => dataPlane.setTopology(topology),
    ...encryptionOf(world, options),
  });
  if (datapath.descriptor !== undefined) {
    dataPlane.watch(datapath.descriptor, () => datapath.serve?.());
  }
  return overlay;
}

/** What encrypts frames on their way between kernels; nothing where none are to be, or none can. */
function encryptionOf(
  { random }: World,
  { password }: LaunchOptions,
): Pick<FastdpOverlayOptions, "encryption"> {
  if (password === undefined || ipsecRefusal() !== undefined) return {};
  return { encryption: { kernel: new KernelIpsec(), random } };
}

function makePlane(
  world: World,
  { options, log }: RouterEnvironment,
  parts: {
    readonly name: PeerName;
    readonly settings: SettingsStore;
    readonly dataPlane: DataPlane;
    readonly database: ReturnType<typeof openDatabase>;
    readonly fastdp: FastdpOverlay | undefined;
    readonly refusals: ReadonlyMap<string, string>;
    readonly formerShortId: number | undefined;
  },
): ControlPlane {
  const { name, settings, dataPlane, fastdp, refusals } = parts;
  const sleeve = new SleeveOverlay((events) => dataPlane.connect(events), {
    // Without the remark where the library was found.
    secretBox: dataPlane.secretBox.split(" ")[0]!,
    aead: openAead()?.implementation,
  });
  const overlay = new OverlayChooser({
    engines: [...(fastdp === undefined ? [] : [fastdp]), sleeve],
    unavailable: fastdp === undefined ? new Map([["fastdp", whyNoFastdp(refusals)]]) : new Map(),
    log,
  });
  return makeControlPlane(world, options, {
    name,
    transport: new TcpTransport(options.host),
    overlay,
    secretBox: openSecretBox(),
    allocatorStore: new SqliteAllocatorStore(parts.database),
    formerShortId: parts.formerShortId,
    saveTargets: (targets) => settings.saveTargets(targets),
    onRoutes(snapshot) {
      if (fastdp === undefined) dataPlane.setTopology(snapshot);
      else fastdp.setTopology(snapshot);
    },
    onEvent() {},
  });
}

/** `switched off …`, or `ebpf: …, ovs: …`. */
function whyNoFastdp(refusals: ReadonlyMap<string, string>): string {
  return [...refusals]
    .map(([name, reason]) => (name === "fastdp" ? reason : `${name}: ${reason}`))
    .join(", ");
}

function openApi(
  control: LocalControl,
  { options, paths, log }: RouterEnvironment,
  shutdown: Shutdown,
): void {
  const open = (address: string, app: ReturnType<typeof controlApp>, isPublic: boolean): void => {
    if (address === "") return;
    const listener = listen(app, address, { isPublic });
    shutdown.push(`API at ${address}`, () => listener.close());
  };
  const app = controlApp(control, log);
  open(paths.socket, app, false);
  open(options.httpAddress, app, false);
  open(options.statusAddress, statusApp(control, log), true);
  open(options.metricsAddress, metricsApp(control, log), true);
}
