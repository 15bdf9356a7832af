import type { Database } from "bun:sqlite";
import { everyBeat } from "../base/beat.ts";
import { coalesce } from "../base/coalesce.ts";
import { splitHostPort } from "../base/endpoint.ts";
import { cidrFromIpv4 } from "../base/ip.ts";
import type { EventSink } from "../base/network-event.ts";
import { formatPeerName, type PeerName } from "../base/peer-name.ts";
import type { Log, World } from "../base/world.ts";
import { type ContainerEngine, isContainerAlive } from "../host/container.ts";
import { type DeviceNames, isEndpointPort } from "../host/device-names.ts";
import { Exposure } from "../host/exposure.ts";
import { Firewall } from "../host/firewall/firewall.ts";
import type { GuardedPorts } from "../host/firewall/guarded-ports.ts";
import { forgetConnections } from "../host/netlink/forget-connections.ts";
import { openNetfilter } from "../host/netlink/open.ts";
import { BlockedPackets } from "../host/policy/blocked-packets.ts";
import { makeEnforcer } from "../host/policy/choose-enforcer.ts";
import { StandingFlows } from "../host/policy/standing-flows.ts";
import { anonymousIdent } from "../ipam/request.ts";
import { cover } from "../ipam/tracker.ts";
import type { ControlPlane } from "../peer/control-plane.ts";
import type { Mac } from "../wire/ethernet.ts";
import { AddressBook } from "./address-book.ts";
import { removeOldExposure } from "./adoption/old-rules.ts";
import { AttachmentKeeper } from "./attachment-keeper.ts";
import { CniAttachments } from "./cni/cni-attachments.ts";
import { CniKeeper } from "./cni/cni-keeper.ts";
import { ContainerWatch, type EngineNews } from "./container-watch.ts";
import { Containers } from "./containers.ts";
import { DnsService } from "./dns-service.ts";
import { Exposures, rememberedExposures } from "./exposures.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { AttachTimes } from "./metrics/attach-times.ts";
import { NameRequests } from "./name-requests.ts";
import { exposeIdent, externIdent, NameService } from "./name-service.ts";
import type { Paths } from "./paths.ts";
import { attachedAddresses, endpointPrefix } from "./policy/host-pods.ts";
import { PodStore } from "./policy/pod-store.ts";
import { PolicyService } from "./policy/policy-service.ts";
import type { SettingsStore } from "./settings-store.ts";

/** Containers that are attached within this time are told of together. */
const residentsDelayMs = 20;

/** There when rules of policies may be in a packet filter. */
const policySetting = "policy-in-place";

/** How often it is looked whether other programs have changed packet filters. */
const rulesCheckMs = 2000;

export interface HostServicesOptions {
  readonly world: World;
  readonly log: Log;
  readonly options: LaunchOptions;
  readonly plane: ControlPlane;
  readonly settings: SettingsStore;
  readonly database: Database;
  readonly self: PeerName;
  readonly paths: Paths;
  readonly devices: DeviceNames;
  readonly engine: ContainerEngine | undefined;
  readonly emit: EventSink;
  /** Told the MAC addresses of this host's containers and bridge whenever they may have changed. */
  setResidents(macs: readonly Mac[]): void;
}

/** What the router does for this host: containers, exposed addresses, names and the name server. */
export interface HostServices {
  readonly containers: Containers;
  readonly exposures: Exposures;
  readonly cni: CniAttachments;
  /** Of whoever has containers attached; who asks the services for it measures it. */
  readonly attachTimes: AttachTimes;
  readonly nameRequests: NameRequests;
  /** Missing when DNS is off, like `dns`. */
  readonly names: NameService | undefined;
  readonly dns: DnsService | undefined;
  readonly firewall: Pick<Firewall, "inUse">;
  readonly policy: PolicyService;
  /** To be called when containers came to the bridge, or went, by other hands than ours. */
  containersChanged(): void;
  /** To be told what an engine tells of its containers. */
  readonly news: EngineNews;
  /** Mends what is at the bridge, and says what had to be done. @throws WeaveError */
  mend(): string[];
  stop(): Promise<void>;
}

/**
 * Puts the services together and takes up what the last run left: exposed addresses first, then
 * every address that is in use on the bridge is claimed, then the names of who is still there.
 */
export async function startHostServices(from: HostServicesOptions): Promise<HostServices> {
  const { world, log, options, plane, settings, devices, engine, emit } = from;
  const names = plane.names && new NameService(plane.names, settings, emit);
  const book = new AddressBook(plane.ipam?.allocator, plane.ipam?.defaultSubnet);
  const dns =
    plane.names &&
    options.dns &&
    new DnsService(plane.names, options.dns, {
      dockerBridge: options.dockerBridge,
      log,
      random: world.random,
    });
  const changed = coalesce(world, residentsDelayMs, () => {
    policy.hostChanged();
    const macs = containers.macs();
    if (macs !== undefined) from.setResidents(macs);
  });
  const attachments = new AttachmentKeeper({
    ...{ bridgeName: devices.bridge, settings, log, changed },
  });
  const runtimes = new CniKeeper({ bridgeName: devices.bridge, settings, log, changed });
  const policy = openPolicy(from, attachments, runtimes);
  const containers = new Containers({
    ...{ bridgeName: devices.bridge, book, names, attachments, log, emit, changed },
    admission: policy,
    ofRuntimes: (id) => runtimes.container(id),
    engine: engine === undefined ? undefined : (reference) => engine.inspect(reference),
  });
  const guarded = guardedPorts(options, devices);
  const firewall = new Firewall({ bridge: devices.bridge, guarded, log });
  const exposures = new Exposures({
    exposure: new Exposure(devices.bridge, rememberedExposures(settings), { firewall, log }),
    ...{ book, settings, names, log, emit },
    changed: async (cidrs) => dns?.serveExposed(cidrs),
  });
  const cni = new CniAttachments({
    ...{ bridgeName: devices.bridge, book, exposures, keeper: runtimes, log, emit, changed },
    admission: policy,
    removedInterfaces: from.paths.removedInterfaces,
    ended(ident) {
      names?.remove({ ident });
      attachments.forget(ident);
      policy.dismiss(ident);
    },
  });
  await dns?.start();
  if (exposures.restore()) removeOldExposure(devices.bridge);
  const ofRuntimes = runtimes.containers();
  attachments.adopt(containers.onBridge().filter(({ ident }) => !ofRuntimes.has(ident)));
  // Before anything is given an interface again.
  policy.start();
  if (plane.ipam !== undefined && !options.masqueradeLocal) {
    plane.ipam.allocator.onOwnedRangesChanged = ({ current, isLocal }) => {
      if (isLocal) exposures.unmask(cover(current).map(cidrFromIpv4));
    };
  }
  for (const sentence of attachments.mend()) log.info(sentence);
  plane.ipam?.allocator.start(preClaims(containers, exposures, ofRuntimes));
  await cni.settle();
  for (const sentence of cni.mend()) log.info(sentence);
  changed();
  names?.restore(isNameOwnerAlive);
  const watch = watchContainers(from, { containers, names, attachments, runtimes, changed });
  const stopRules = everyBeat(world, rulesCheckMs, () => {
    exposures.keepRules();
    policy.check();
  });
  return {
    containers,
    exposures,
    cni,
    attachTimes: new AttachTimes(),
    names,
    dns,
    firewall,
    policy,
    nameRequests: new NameRequests(names, containers),
    containersChanged: changed,
    news: watch,
    mend: () => [...exposures.mend(), ...attachments.mend(), ...cni.mend()],
    async stop() {
      stopRules();
      policy.stop();
      watch.stop();
      changed.cancel();
      await dns?.stop();
    },
  };
}

/** Gives back what containers hold that are gone. */
function watchContainers(
  { world, log, plane, settings, emit }: HostServicesOptions,
  parts: {
    readonly containers: Containers;
    readonly names: NameService | undefined;
    readonly attachments: AttachmentKeeper;
    readonly runtimes: CniKeeper;
    changed(): void;
  },
): ContainerWatch {
  const { containers, names, attachments, runtimes } = parts;
  const allocator = plane.ipam?.allocator;
  const onBridge = () => new Set(containers.onBridge().map(({ ident }) => ident));
  // An engine knows nothing of a runtime's containers, even if their ids look like its own.
  const everybody = () => {
    const all = new Set([...holders(plane, settings), ...attachments.idents()]);
    return all.difference(runtimes.containers());
  };
  return new ContainerWatch(world, everybody, onBridge, {
    died(ident) {
      allocator?.containerDied(ident);
      names?.remove({ ident });
    },
    started: (ident) => allocator?.containerStarted(ident),
    gone: (ident) => {
      if (everybody().has(ident)) {
        log.info(`container ${ident} is gone: its addresses and names are free`);
        emit("container.gone", { container: ident });
      }
      allocator?.containerDestroyed(ident);
      names?.remove({ ident });
      attachments.forget(ident);
      parts.changed();
    },
  });
}

/** Policies of whoever is attached, enforced where a cluster or an operator wants that. */
function openPolicy(
  { world, log, options, plane, database, self, devices, settings, emit }: HostServicesOptions,
  attachments: AttachmentKeeper,
  runtimes: CniKeeper,
): PolicyService {
  const { kubernetes, policy } = options;
  const ofCluster = kubernetes && (kubernetes.policy ? "on" : "off");
  const dropsCut = policy.standing === "cut";
  return new PolicyService({
    ...{ world, self, shared: plane.policies, store: new PodStore(database), emit },
    mode: ofCluster ?? policy.mode,
    isOfCluster: kubernetes !== undefined,
    nickname: options.nickname,
    attached: () =>
      attachedAddresses([
        ...attachments.addresses(),
        ...runtimes.addresses(),
        ...settings
          .endpoints()
          .filter(({ address }) => address !== "")
          .map(({ id, address }) => [`${endpointPrefix}${id}`, [address]] as const),
      ]),
    nicknameOf: (peer) => plane.mesh.nickname(peer),
    peers: () => plane.mesh.knownPeers().map(formatPeerName),
    exposed: () => settings.exposures().map(({ cidr }) => cidr),
    enforcer: () => {
      const { multicast, filter } = policy;
      return makeEnforcer(filter, { bridge: devices.bridge, multicast, dropsCut, log });
    },
    ...(dropsCut && {
      standing: { flows: new StandingFlows(), judgesGroups: policy.multicast === "egress" },
    }),
    blocked: (labels) => new BlockedPackets(labels),
    forget(addresses) {
      using netlink = openNetfilter();
      for (const each of addresses) forgetConnections(netlink, each);
    },
    mark: {
      get: () => settings.setting(policySetting) !== undefined,
      set(isInPlace) {
        if (isInPlace) settings.saveSetting(policySetting, "in place");
        else settings.removeSetting(policySetting);
      },
    },
  });
}

/** What neighbours and containers of this host are kept from. */
function guardedPorts(options: LaunchOptions, devices: DeviceNames): GuardedPorts {
  const { httpAddress, statusAddress, metricsAddress } = options;
  const listeners = [httpAddress, statusAddress, metricsAddress].map(splitHostPort);
  return {
    ofLoopback: listeners.flatMap((at) =>
      at?.port !== undefined && /^(127\.|localhost$)/.test(at.host) ? [at.port] : [],
    ),
    mesh: options.port,
    containerBridges: [options.dockerBridge, devices.bridge],
  };
}

/** Addresses that are in use whatever the stored state says. */
function preClaims(containers: Containers, exposures: Exposures, ofRuntimes: ReadonlySet<string>) {
  const bridge = exposures
    .cidrs()
    .map((cidr) => ({ ident: exposeIdent, isContainer: false, cidr }));
  const attached = containers.onBridge().flatMap(({ ident: noted, hostInterface, addresses }) => {
    // The addresses of an engine's networks are the engine's to give back, not a container's.
    const ident = isEndpointPort(hostInterface) ? "" : noted;
    return addresses.map((cidr) => ({
      ...{
        ident: ident || anonymousIdent,
        isContainer: ident !== "" && !ofRuntimes.has(ident),
        cidr,
      },
    }));
  });
  return [...bridge, ...attached].flatMap(({ ident, isContainer, cidr }) =>
    cidr.address.family === 4
      ? [{ ident, isContainer, cidr: { address: cidr.address.value, prefix: cidr.prefix } }]
      : [],
  );
}

function isNameOwnerAlive(ident: string): boolean {
  return ident === exposeIdent || ident === externIdent || isContainerAlive(ident) !== false;
}

/** Everybody of this host who holds an address or a name. */
function holders(plane: ControlPlane, settings: SettingsStore): string[] {
  const held = plane.ipam?.allocator.list().map(({ ident }) => ident) ?? [];
  return [...held, ...settings.names().map(({ ident }) => ident)];
}
