import { toHex } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { errorText } from "../base/errors.ts";
import { tryParseHostIp } from "../base/ip.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { productVersion } from "../base/product-version.ts";
import type { Log, World } from "../base/world.ts";
import { openAead } from "../host/aead.ts";
import { BridgeKeeper } from "../host/bridge-keeper.ts";
import type { HostDatapath } from "../host/datapath/backend.ts";
import type { Bequest } from "../host/dataplane/bequest.ts";
import { DataPlane, type InheritedSockets } from "../host/dataplane/data-plane.ts";
import { defaultDeviceNames, isContainerPort } from "../host/device-names.ts";
import { ipsecRefusal, KernelIpsec, removeIpsecLeftovers } from "../host/ipsec/kernel-ipsec.ts";
import { machineWorld } from "../host/machine-world.ts";
import { openSecretBox } from "../host/secret-box.ts";
import { checkTcpFree, listenTcp, TcpTransport } from "../host/tcp.ts";
import { OverlayChooser } from "../overlay/chooser.ts";
import { FastdpOverlay, type FastdpOverlayOptions } from "../overlay/fastdp/overlay.ts";
import { SleeveOverlay } from "../overlay/sleeve/overlay.ts";
import { type ControlPlane, makeControlPlane } from "../peer/control-plane.ts";
import { SqliteAllocatorStore } from "./allocator-store.ts";
import { openDatabase } from "./database.ts";
import { datapathBackends } from "./datapath-backends.ts";
import { addressNews } from "./events/address-news.ts";
import type { EventJournal } from "./events/event-journal.ts";
import { LinkNews } from "./events/link-news.ts";
import { tellMeshEvent } from "./events/mesh-news.ts";
import { tellNotedDeed } from "./events/noted-deeds.ts";
import { openEvents } from "./events/open-events.ts";
import { type HostServices, startHostServices } from "./host-services.ts";
import type { Integration, IntegrationHost, RouterIntegration } from "./integration.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { type ControlOptions, openControl } from "./open-control.ts";
import { importOriginal } from "./original-import.ts";
import { settlePeerName } from "./peer-identity.ts";
import { SqliteRecordStore } from "./policy/record-store.ts";
import { type PreparedHost, prepareHost } from "./prepare-host.ts";
import { bridgeSetting, datapathSetting } from "./remove-traces.ts";
import { beginRun, endRun } from "./run-mark.ts";
import { SettingsStore } from "./settings-store.ts";
import { Shutdown } from "./shutdown.ts";
import { openTracing } from "./tracing/open-tracing.ts";

export interface RouterEnvironment extends ControlOptions {
  /** Missing when no container engine is asked, and this is no node of a cluster. */
  readonly integration: RouterIntegration | undefined;
  /** What another process has left to this one. */
  readonly inheritance?: Inheritance | undefined;
}

export interface Inheritance {
  /** It serves the sockets already. */
  readonly dataPlane: DataPlane;
  /** The interface on which it captures. */
  readonly captureInterface: number;
  /** Where neighbours listen. */
  readonly neighbours: readonly Endpoint[];
}

/** What a router leaves to another process. */
export interface Estate {
  readonly bequest: Bequest;
  readonly neighbours: readonly Endpoint[];
}

export interface StartedRouter {
  /** Tells this run from all others: 64 hex digits. */
  readonly id: string;
  readonly name: PeerName;
  /** What a process needs to make itself ready to take over. */
  readonly standing: {
    readonly captureInterface: number;
    readonly datapathMtu: number | undefined;
    readonly sockets: InheritedSockets;
  };
  stop(): Promise<void>;
  /**
   * Lets go of everything but the connections to peers, which stay until those have others.
   *
   * @param deserted called when no connection is left
   */
  handOver(deserted: () => void): Promise<Estate>;
  /** Resolves when nothing of what was handed over is held here any more. */
  released(): Promise<void>;
  /** Resolves when nothing goes on that somebody outside of the mesh has begun with this process. */
  finished(): Promise<void>;
}

/**
 * Starts everything that a router is, in this order, and stops it in the reverse order:
 *
 *   TCP port free? ▸ state ▸ name ▸ bridge and datapath ▸ data plane ▸ mesh, allocator, names
 *         ▸ exposed addresses, containers, DNS
 *         ▸ TCP listener ▸ container engine ▸ control API ▸ connecting to peers
 *
 * When a step fails, those before it are undone. Bridge, datapath, containers and exposed
 * addresses outlive the router, so that containers of this host keep talking to each other.
 *
 * @throws WeaveError of whatever step failed
 */
export async function startRouter(environment: RouterEnvironment): Promise<StartedRouter> {
  const shutdown = new Shutdown();
  const { host, port } = environment.options;
  try {
    // Two routers on one host would take each other's devices: the second must not come so far.
    await checkTcpFree({ host, port });
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
  const { events, outlets } = openEvents(world, environment, shutdown);
  const tracing = openTracing(world, options.tracing, shutdown);
  const { name, source } = settlePeerName(options, settings);
  log.info(
    `weave ${productVersion}; our name is ${formatPeerName(name)}(${options.nickname}), from ${source}`,
  );

  const { weaveBridge: bridge, datapath: datapathName } = options;
  const devices = { ...defaultDeviceNames, bridge, datapath: datapathName };
  settings.saveSetting(bridgeSetting, options.weaveBridge);
  settings.saveSetting(datapathSetting, options.datapath);
  const host = prepareHost(options, devices, name, datapathBackends, log);
  const { datapath } = host;
  const { captureInterface } = host.standing;
  const standing = { captureInterface, datapathMtu: datapath?.mtu };
  const dataPlane =
    inheritedDataPlane(environment, captureInterface) ??
    openDataPlane({ name, options, log, ...standing });
  let isHandedOver = false;
  shutdown.push("data plane", () => (isHandedOver ? undefined : dataPlane.stop()));
  await dataPlane.ready;

  const news = new LinkNews(world, events.emit, (peer) => plane.mesh.nickname(peer));
  shutdown.push("news of links", () => news.stop());
  const fastdp = datapath && startFastdp(world, environment, { name, dataPlane, datapath });
  if (fastdp !== undefined) shutdown.push("fast datapath", () => fastdp.stop());
  const formerShortId = datapath?.adopted?.self;
  const kept = { settings, database, refusals: host.refusals, formerShortId };
  const parts = { name, dataPlane, fastdp, events, news, ...kept };
  const plane: ControlPlane = makePlane(world, environment, parts);
  shutdown.push("mesh", () => plane.stop());
  const services = await startHostServices({
    ...{ ...environment, engine: environment.integration?.engine },
    ...{ world, plane, settings, devices, database, self: name, emit: events.emit },
    setResidents(macs) {
      dataPlane.setResidents(macs);
      fastdp?.setResidents(macs);
    },
  });
  shutdown.push("host services", () => services.stop());
  keepBridge(world, shutdown, { host, dataPlane, services, events });

  const listener = await listenTcp({ host: options.host, port: options.port }, (stream) =>
    plane.mesh.accepted(stream),
  );
  shutdown.push("TCP listener", () => (isHandedOver ? listener.retire() : listener.close()));
  const shared = { world, emit: events.emit, tracing, settings, devices, plane, services };
  const integration = await startIntegration(environment, shutdown, shared);
  const control = openControl(environment, shutdown, {
    ...{ self: name, world, plane, events, outlets, tracing },
    ...{ services, dataPlane, fastdp, integration },
    capture: devices.capture,
    refusals: host.refusals,
  });

  const goesOn = beginRun(settings, options.peers);
  const resumes = options.resume || goesOn || (isImported && options.peers.length === 0);
  const targets = resumes ? settings.targets() : options.peers;
  plane.mesh.start(targets, environment.inheritance?.neighbours);
  control.setReady();
  tellRun(settings, events, name, shutdown);
  return {
    id: toHex(world.random.fill(new Uint8Array(32))),
    name,
    standing: { ...standing, sockets: dataPlane.sockets },
    stop() {
      endRun(settings);
      return shutdown.run(log);
    },
    released: () => dataPlane.released,
    finished: async () => integration?.finished(),
    async handOver(deserted) {
      const neighbours = plane.suspend(deserted);
      isHandedOver = true;
      await shutdown.run(log);
      // Last, for from here on nobody carries frames in user space.
      return { neighbours, bequest: await dataPlane.handOver() };
    },
  };
}

/** Tells of this run, and of what was done before it. */
function tellRun(
  settings: SettingsStore,
  { emit }: EventJournal,
  name: PeerName,
  shutdown: Shutdown,
): void {
  tellNotedDeed(settings, emit);
  emit("router.started", { version: productVersion, name: formatPeerName(name) });
  shutdown.push("news", () => emit("router.stopping", {}));
}

/** Mends what this host loses of what the network needs. */
function keepBridge(
  world: World,
  shutdown: Shutdown,
  parts: {
    readonly host: PreparedHost;
    readonly dataPlane: DataPlane;
    readonly services: HostServices;
    readonly events: EventJournal;
  },
): void {
  const { host, dataPlane, services, events } = parts;
  const keeper = new BridgeKeeper(world, {
    concerns: (link) => isContainerPort(link) || host.devices().includes(link),
    prepare: (netlink) => host.mend(netlink),
    captureInterface: host.standing.captureInterface,
    recapture: (index) => dataPlane.recapture(index),
    mendRest: () => services.mend(),
    mended: (what) => events.emit("host.mended", { what }),
  });
  shutdown.push("bridge keeper", () => keeper.stop());
}

/** What a data plane has to be told at its start. */
export function openDataPlane(parts: {
  readonly name: PeerName;
  readonly options: LaunchOptions;
  readonly captureInterface: number;
  readonly datapathMtu: number | undefined;
  readonly log: Log;
  readonly inherited?: InheritedSockets;
}): DataPlane {
  const { name, options, ...rest } = parts;
  return new DataPlane({
    ...rest,
    local: name,
    host: tryParseHostIp(options.host) ?? 0,
    port: options.port,
    captureBufferBytes: options.captureBufferMegabytes << 20,
  });
}

/** That of a former process, on the interface as it is now. */
function inheritedDataPlane(
  { inheritance }: RouterEnvironment,
  captureInterface: number,
): DataPlane | undefined {
  if (inheritance === undefined) return undefined;
  const { dataPlane } = inheritance;
  if (captureInterface !== inheritance.captureInterface) dataPlane.recapture(captureInterface);
  return dataPlane;
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
    readonly events: EventJournal;
    readonly news: LinkNews;
    readonly fastdp: FastdpOverlay | undefined;
    readonly refusals: ReadonlyMap<string, string>;
    readonly formerShortId: number | undefined;
  },
): ControlPlane {
  const { name, settings, dataPlane, fastdp, events, news, refusals } = parts;
  const ciphers = {
    // Without the remark where the library was found.
    secretBox: dataPlane.secretBox.split(" ")[0]!,
    aead: openAead()?.implementation,
  };
  const connect = dataPlane.connect.bind(dataPlane);
  const sleeve = new SleeveOverlay(connect, ciphers, dataPlane.lastLink);
  const overlay = new OverlayChooser({
    engines: [...(fastdp === undefined ? [] : [fastdp]), sleeve],
    unavailable: fastdp === undefined ? new Map([["fastdp", whyNoFastdp(refusals)]]) : new Map(),
    log,
    changed: (change) => news.overlayChanged(change),
    mtuFound: (found) => news.mtuFound(found),
  });
  return makeControlPlane(world, options, {
    name,
    transport: new TcpTransport(options.host),
    overlay,
    secretBox: openSecretBox(),
    allocatorStore: new SqliteAllocatorStore(parts.database),
    policyStore: new SqliteRecordStore(parts.database),
    formerShortId: parts.formerShortId,
    saveTargets: (targets) => settings.saveTargets(targets),
    onRoutes(snapshot) {
      if (fastdp === undefined) dataPlane.setTopology(snapshot);
      else fastdp.setTopology(snapshot);
    },
    onEvent(event) {
      tellMeshEvent(events.emit, event);
      if (event.kind === "disconnected") news.linkLost(event.peer);
    },
    addressNews: addressNews(events.emit),
  });
}

/** `switched off …`, or `ebpf: …, ovs: …`. */
function whyNoFastdp(refusals: ReadonlyMap<string, string>): string {
  return [...refusals]
    .map(([name, reason]) => (name === "fastdp" ? reason : `${name}: ${reason}`))
    .join(", ");
}

/** Begins to work with the program that this host is shared with, where there is one. */
async function startIntegration(
  { integration, log, options, paths }: RouterEnvironment,
  shutdown: Shutdown,
  shared: Omit<IntegrationHost, "log" | "options" | "paths">,
): Promise<Integration | undefined> {
  const started = await integration?.start({ ...shared, log, options, paths });
  if (started !== undefined) shutdown.push("integration", () => started.stop());
  return started;
}
