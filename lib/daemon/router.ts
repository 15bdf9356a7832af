import { toHex } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { errorText } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import { productVersion } from "../base/product-version.ts";
import type { Log, World } from "../base/world.ts";
import { BridgeKeeper } from "../host/bridge-keeper.ts";
import type { Bequest } from "../host/dataplane/bequest.ts";
import type { DataPlane } from "../host/dataplane/data-plane.ts";
import type { InheritedSockets } from "../host/dataplane/plane-sockets.ts";
import { type DeviceNames, defaultDeviceNames, isContainerPort } from "../host/device-names.ts";
import { machineWorld } from "../host/machine-world.ts";
import { checkTcpFree, listenTcp } from "../host/tcp.ts";
import type { ControlPlane } from "../peer/control-plane.ts";
import { SqliteAllocatorStore } from "./allocator-store.ts";
import { openDatabase } from "./database.ts";
import { datapathBackends } from "./datapath-backends.ts";
import type { EventJournal } from "./events/event-journal.ts";
import { LinkNews } from "./events/link-news.ts";
import { tellNotedDeed } from "./events/noted-deeds.ts";
import { openEvents } from "./events/open-events.ts";
import { type HostServices, startHostServices } from "./host-services.ts";
import type { Integration, IntegrationHost, RouterIntegration } from "./integration.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { makePlane, startFastdp } from "./make-plane.ts";
import { type ControlOptions, openControl } from "./open-control.ts";
import { type Inheritance, inheritedDataPlane, openDataPlane } from "./open-data-plane.ts";
import { importOriginal } from "./original-import.ts";
import { settlePeerName } from "./peer-identity.ts";
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

  const devices = namedDevices(options, settings);
  const host = prepareHost(options, devices, name, datapathBackends, log);
  const { datapath } = host;
  const { captureInterface } = host.standing;
  const standing = { captureInterface, datapathMtu: datapath?.mtu };
  const dataPlane =
    inheritedDataPlane(environment.inheritance, captureInterface) ??
    openDataPlane({ name, options, log, ...standing });
  let isHandedOver = false;
  shutdown.push("data plane", () => (isHandedOver ? undefined : dataPlane.stop()));
  await dataPlane.ready;

  const news = new LinkNews(world, events.emit, (peer) => plane.mesh.nickname(peer));
  shutdown.push("news of links", () => news.stop());
  const fastdp = datapath && startFastdp(world, options, { name, dataPlane, datapath });
  if (fastdp !== undefined) shutdown.push("fast datapath", () => fastdp.stop());
  const formerShortId = datapath?.adopted?.self;
  const kept = { settings, database, refusals: host.refusals, formerShortId };
  const parts = { name, dataPlane, fastdp, events, news, ...kept };
  const plane: ControlPlane = makePlane(world, options, parts);
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

  plane.mesh.start(targetsOf(options, settings, isImported), environment.inheritance?.neighbours);
  control.setReady();
  tellRun(settings, events, name, shutdown);
  return {
    id: toHex(world.random.fill(new Uint8Array(32))),
    name,
    standing: { ...standing, sockets: dataPlane.sockets },
    async stop() {
      // First to be ended, and where that cannot be written down, the rest is all the same.
      shutdown.push("the mark of this run", () => endRun(settings));
      await shutdown.run(log);
      if (integration !== undefined) await partFrom(integration, world);
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

/** For who is being told that the router stops. */
const partingMs = 300;

/** Ends what others have begun through this router, which keeps no process for it that has stopped. */
async function partFrom(integration: Integration, world: World): Promise<void> {
  const over = new AbortController();
  await Promise.race([integration.finished(), pause(world, partingMs, over.signal)]);
  over.abort();
  integration.end();
}

/** Names of the devices that are made; noted, so that they can be removed without a router. */
function namedDevices(
  { weaveBridge: bridge, datapath }: LaunchOptions,
  settings: SettingsStore,
): DeviceNames {
  settings.saveSetting(bridgeSetting, bridge);
  settings.saveSetting(datapathSetting, datapath);
  return { ...defaultDeviceNames, bridge, datapath };
}

/** With whom to connect: as launched, or as the run before. */
function targetsOf(
  { resume, peers }: LaunchOptions,
  settings: SettingsStore,
  isImported: boolean,
): readonly string[] {
  const goesOn = beginRun(settings, peers);
  return resume || goesOn || (isImported && peers.length === 0) ? settings.targets() : peers;
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
