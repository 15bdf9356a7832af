import { type DataPlaneReport, makeRouterReport, orNull } from "../api/make-router-report.ts";
import { distributed, type Measurement, measured } from "../api/metrics/measurement.ts";
import type { Report } from "../api/report.ts";
import type {
  AttachRequest,
  ContainerControl,
  DetachRequest,
  ExposeRequest,
  NamesRequest,
  PageControl,
  RouterControl,
} from "../api/router-control.ts";
import type { Cidr } from "../base/ip.ts";
import type { PeerName } from "../base/peer-name.ts";
import { productVersion } from "../base/product-version.ts";
import type { EngineFact } from "../diagnosis/facts.ts";
import { nameStatus } from "../dns/name-report.ts";
import type { DataPlane } from "../host/dataplane/data-plane.ts";
import type { FastdpOverlay, FastdpStatus } from "../overlay/fastdp/overlay.ts";
import type { ControlPlane } from "../peer/control-plane.ts";
import { formatMac } from "../wire/ethernet.ts";
import { Diagnostician } from "./diagnosis/diagnostician.ts";
import type { EventJournal } from "./events/event-journal.ts";
import type { EventOutlets } from "./events/event-outlets.ts";
import type { HostServices } from "./host-services.ts";
import { collectBundle } from "./incident/collect-bundle.ts";
import { knownSecrets } from "./incident/known-secrets.ts";
import type { Integration } from "./integration.ts";
import { ipamReport } from "./ipam-report.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { dnsMeasurements } from "./metrics/dns-measurements.ts";
import { frameMeasurements } from "./metrics/frame-measurements.ts";
import { LastDiagnosis } from "./metrics/last-diagnosis.ts";
import type { LoopLag } from "./metrics/loop-lag.ts";
import { planeMeasurements } from "./metrics/plane-measurements.ts";
import { policyMeasurements } from "./metrics/policy-measurements.ts";
import { processMeasurements } from "./metrics/process-measurements.ts";
import { policyFacts, policyVerdict } from "./policy/policy-facts.ts";
import { idlePeers, policyReport } from "./policy/policy-report.ts";
import { PolicyRequests } from "./policy/policy-requests.ts";
import type { Tracing } from "./tracing/open-tracing.ts";

export interface LocalControlParts {
  readonly options: LaunchOptions;
  readonly plane: ControlPlane;
  readonly events: EventJournal;
  readonly outlets: Pick<EventOutlets, "report" | "measurements">;
  readonly tracing: Pick<Tracing, "tracer" | "report" | "measurements">;
  readonly page: PageControl;
  readonly services: HostServices;
  /** Missing when no container engine is asked. */
  readonly integration: Integration | undefined;
  readonly dataPlane: DataPlane;
  readonly self: PeerName;
  readonly lag: LoopLag;
  /** Name of the interface on which frames are captured. */
  readonly capture: string;
  /** Missing when frames are captured and sleeve carries them all. */
  readonly fastdp: FastdpOverlay | undefined;
  /** Why datapaths are not used, by backend. */
  readonly refusals: ReadonlyMap<string, string>;
  /** Starts a process that takes the place of this one. */
  readonly succeed: () => Promise<number>;
}

/** This router, as the control API commands and shows it. */
export class LocalControl implements RouterControl {
  readonly #parts: LocalControlParts;
  readonly #lastDiagnosis = new LastDiagnosis();
  #isReady = false;

  constructor(parts: LocalControlParts) {
    this.#parts = parts;
  }

  setReady(): void {
    this.#isReady = true;
  }

  ready(): boolean {
    return this.#isReady;
  }

  awaited(): readonly string[] {
    return this.#parts.integration?.awaited?.() ?? [];
  }

  get ipam(): RouterControl["ipam"] {
    const { plane, options } = this.#parts;
    if (plane.ipam === undefined || options.masqueradeLocal) return plane.ipam;
    return { ...plane.ipam, tracker: "no-masq-local" };
  }

  get dns(): RouterControl["dns"] {
    const { names, dns } = this.#parts.services;
    if (names === undefined || dns === undefined) return undefined;
    return {
      names,
      get listenAddress() {
        return dns.advertisedAddress;
      },
    };
  }

  get plugin(): RouterControl["plugin"] {
    return this.#parts.integration?.plugin;
  }

  connect(peers: readonly string[], options: { replace: boolean }) {
    const bad = this.#parts.plane.mesh.connect(peers, options);
    this.#parts.events.emit("target.added", { peers, replace: options.replace });
    return bad;
  }

  forget(peers: readonly string[]): void {
    this.#parts.plane.mesh.forget(peers);
    this.#parts.events.emit("target.forgotten", { peers });
  }

  removePeer(nameOrNickname: string, options: { force: boolean }): number {
    const addresses = this.#parts.plane.ipam?.allocator.takeover(nameOrNickname, options) ?? 0;
    const { emit } = this.#parts.events;
    emit("peer.removed", { peer: nameOrNickname, force: options.force, addresses });
    if (addresses > 0) emit("range.takenOver", { peer: nameOrNickname, addresses });
    return addresses;
  }

  succeed(): Promise<number> {
    this.#parts.events.emit("router.upgrading", {});
    return this.#parts.succeed();
  }

  leave(): void {
    this.#parts.events.emit("router.leaving", {});
    this.#parts.plane.ipam?.allocator.shutdown();
  }

  measurements(): readonly Measurement[] {
    const { self, dataPlane, plane, services, fastdp, integration, lag } = this.#parts;
    const { outlets, tracing } = this.#parts;
    return [
      ...planeMeasurements(plane, self),
      ...frameMeasurements(dataPlane, fastdp),
      ...(services.dns === undefined ? [] : dnsMeasurements(services.dns)),
      ...policyMeasurements(services.policy),
      ...services.attachTimes.measurements(),
      ...outlets.measurements(),
      ...tracing.measurements(),
      ...(integration?.measurements() ?? []),
      measured("weave_build_info", 1, { version: productVersion }),
      measured("weave_ready", this.#isReady && this.awaited().length === 0),
      distributed("weave_event_loop_lag_seconds", lag.read()),
      ...this.#lastDiagnosis.measurements(),
      ...processMeasurements(),
    ];
  }

  get containers(): ContainerControl {
    const { containers, exposures, nameRequests, attachTimes } = this.#parts.services;
    return {
      isAlive: (ident) => containers.isAlive(ident),
      attach: (request: AttachRequest, signal) =>
        attachTimes.measure("command", () => containers.attach(request, signal)),
      detach: (request: DetachRequest) => containers.detach(request),
      list: (references) => containers.list(references),
      expose: (request: ExposeRequest, signal) => exposures.expose(request, signal),
      hide: (request) => exposures.hide(request),
      joinBridge: async (name) => containers.joinBridge(name),
      exposeAddress: (cidr: Cidr, options) => exposures.exposeAddress(cidr, options),
      addNames: (request: NamesRequest) => nameRequests.add(request),
      removeNames: (request: NamesRequest) => nameRequests.remove(request),
      lookupName: (name) => nameRequests.lookup(name),
    };
  }

  get cni(): RouterControl["cni"] {
    const { cni, attachTimes } = this.#parts.services;
    return {
      add: (request, signal) => attachTimes.measure("cni", () => cni.add(request, signal)),
      remove: (request) => cni.remove(request),
      check: (request) => cni.check(request),
      collect: (request) => cni.collect(request),
    };
  }

  get policy(): RouterControl["policy"] {
    const { plane, services } = this.#parts;
    return new PolicyRequests(services.policy, plane.policies);
  }

  get links(): RouterControl["links"] {
    return this.#parts.plane.links;
  }

  get page(): PageControl {
    return this.#parts.page;
  }

  get incident(): RouterControl["incident"] {
    const { options, plane } = this.#parts;
    const secrets = knownSecrets(options, process.env);
    const sources = { router: this, recorder: plane.recorder, secrets };
    return { bundle: (redact) => collectBundle(sources, redact) };
  }

  get events(): RouterControl["events"] {
    return this.#parts.events;
  }

  get diagnosis(): RouterControl["diagnosis"] {
    const { options, plane, services, fastdp, refusals, integration } = this.#parts;
    const diagnostician = new Diagnostician({
      ...{ options, plane, containers: services.containers },
      datapath: () => ({ backend: fastdp?.status().backend, refusals }),
      engine: () => engineFact(integration?.report().Docker),
      waiting: () =>
        (integration?.report().Docker?.Waiting ?? []).map(({ Name, Seconds, Reason, Remedy }) => ({
          ...{ name: Name, seconds: Seconds, reason: Reason, remedy: Remedy },
        })),
      macs: async () => (await this.#dataPlaneReport()).macs,
      policy: () => policyFacts(this.#policyReport(), services.policy?.blockedLately() ?? []),
      policyVerdict: (from, to) => policyVerdict(this.policy, this.#policyReport(), from, to),
    });
    return {
      doctor: async () => this.#lastDiagnosis.noted(await diagnostician.doctor()),
      why: (from, to) => diagnostician.why(from, to),
    };
  }

  async report(): Promise<Report> {
    const { plane, integration } = this.#parts;
    const dns = this.#dnsReport();
    const mesh = plane.mesh.status();
    const policy = this.#policyReport();
    const events = this.#parts.outlets.report();
    const traces = this.#parts.tracing.report();
    return {
      Ready: this.#isReady,
      Version: productVersion,
      VersionCheck: {
        Enabled: false,
        Success: false,
        NewVersion: "",
        NextCheckAt: "0001-01-01T00:00:00Z",
      },
      Router: makeRouterReport(mesh, await this.#dataPlaneReport()),
      ...(plane.ipam !== undefined && {
        IPAM: ipamReport(plane.ipam.allocator.status(), (peer) => plane.mesh.nickname(peer) ?? ""),
      }),
      ...(dns !== undefined && { DNS: dns }),
      ...(policy !== undefined && { Policy: policy }),
      ...integration?.report(),
      ...(events !== undefined && { Events: events }),
      ...(traces !== undefined && { Tracing: traces }),
    };
  }

  #policyReport(): Report["Policy"] {
    const { plane, services } = this.#parts;
    return policyReport(services.policy, () =>
      idlePeers(plane.policies, plane.mesh.status().peers),
    );
  }

  async #dataPlaneReport(): Promise<DataPlaneReport> {
    const { dataPlane, capture, fastdp, refusals, services } = this.#parts;
    const { sockets } = dataPlane.counters();
    const { macs, offloads } = await this.#inspection();
    const status = fastdp?.status();
    return {
      interface: `${capture} (via ${status?.backend ?? "pcap"})`,
      captureStats: {
        PacketsReceived: sockets.captureReceived,
        PacketsDropped: sockets.captureDropped,
        PacketsIfDropped: 0,
      },
      overlayDiagnostics: { ...(status && { fastdp: status.counters }), sleeve: null },
      datapath: { backend: status?.backend, refusals },
      firewall: services.firewall.inUse,
      offloads,
      macs: status === undefined ? macs : status.macs.map(datapathMac),
    };
  }

  /** A data plane that is being started anew has nothing to show, which is no reason to fail. */
  async #inspection(): Promise<Pick<DataPlaneReport, "macs" | "offloads">> {
    try {
      const { macs, nowMs, offloads } = await this.#parts.dataPlane.inspect();
      return {
        offloads,
        macs: macs.map(({ mac, peer, lastSeenMs }) => ({
          mac: formatMac(mac),
          peer,
          lastSeenMs: Date.now() - (nowMs - lastSeenMs),
        })),
      };
    } catch {
      return { macs: [], offloads: [] };
    }
  }

  #dnsReport(): Report["DNS"] {
    const { plane, services, options } = this.#parts;
    if (plane.names === undefined || services.dns === undefined || options.dns === undefined) {
      return undefined;
    }
    return {
      Domain: plane.names.domain.name,
      Upstream: orNull(services.dns.upstreams.servers()),
      Address: services.dns.listenAddress,
      TTL: options.dns.ttlSeconds,
      Entries: orNull(plane.names.entries().map(nameStatus)),
    };
  }
}

function engineFact(docker: Report["Docker"]): EngineFact | undefined {
  if (docker?.Trouble === undefined) return undefined;
  const { Endpoint: endpoint, Trouble } = docker;
  return { endpoint, message: Trouble.Message, remedy: Trouble.Remedy };
}

function datapathMac({ mac, peer, ageMs }: FastdpStatus["macs"][number]) {
  return { mac: formatMac(mac), peer, lastSeenMs: Date.now() - ageMs };
}
