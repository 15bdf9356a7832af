import type { Hono } from "hono";
import { controlApp } from "../../lib/api/app.ts";
import { makeRouterReport, type OffloadStatus, orNull } from "../../lib/api/make-router-report.ts";
import type { Measurement } from "../../lib/api/metrics/measurement.ts";
import type { Report } from "../../lib/api/report.ts";
import type { NameRegistry, RouterControl } from "../../lib/api/router-control.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import { openDatabase } from "../../lib/daemon/database.ts";
import { EventJournal } from "../../lib/daemon/events/event-journal.ts";
import { ipamReport } from "../../lib/daemon/ipam-report.ts";
import type { LaunchOptions } from "../../lib/daemon/launch-options.ts";
import { planeMeasurements } from "../../lib/daemon/metrics/plane-measurements.ts";
import { processMeasurements } from "../../lib/daemon/metrics/process-measurements.ts";
import { PodStore } from "../../lib/daemon/policy/pod-store.ts";
import { policyReport } from "../../lib/daemon/policy/policy-report.ts";
import { PolicyRequests } from "../../lib/daemon/policy/policy-requests.ts";
import { PolicyService } from "../../lib/daemon/policy/policy-service.ts";
import { nameStatus } from "../../lib/dns/name-report.ts";
import { makeBundle } from "../../lib/incident/make-bundle.ts";
import { MemoryEnforcer } from "../daemon/policy/memory-enforcer.ts";
import { exampleParts } from "../incident/example.ts";
import { SimCluster, type SimPeer } from "../sim/cluster.ts";
import { FakeContainers } from "./fake-containers.ts";

export const listenAddress = "172.17.0.1:53";

/** A router without a machine: the protocols are real, containers and the bridge are pretended. */
export class TestRouter implements RouterControl {
  readonly peer: SimPeer;
  readonly containers: FakeContainers;
  readonly ipam: RouterControl["ipam"];
  readonly dns: RouterControl["dns"];
  diagnosis: RouterControl["diagnosis"] = {
    doctor: async () => ({
      examined: { router: "host1", links: 0, peers: 1, containers: 0 },
      findings: [],
    }),
    why: async (from, to) => ({
      ...{ from, to: to ?? null, verdict: "whole", answer: `${from} is there` },
      ...{ steps: [], findings: [] },
    }),
  };
  page: RouterControl["page"] = {
    open: async () => ({ url: "http://127.0.0.1:6785/#token=abc" }),
  };
  incident: RouterControl["incident"] = {
    bundle: async (redact) => makeBundle(exampleParts(), { secrets: [], redact }),
  };
  plugin: RouterControl["plugin"] = {
    retire: async () => ({ network: "weave", containers: [{ id: "ab".repeat(32), name: "c1" }] }),
  };
  nowMs = Date.UTC(2026, 0, 2, 15, 4, 5);
  readonly events = new EventJournal({ now: () => this.nowMs, monotonicMs: () => this.nowMs });
  cni: RouterControl["cni"] = {
    add: async ({ interface: name, hairpin }) => ({
      bridge: { name: "weave", mac: "8a:3e:3e:3e:3e:01" },
      port: { name: "vethweplabcdef1", mac: "8a:3e:3e:3e:3e:02" },
      guest: { name, mac: "8a:3e:3e:3e:3e:03" },
      ...{ mtu: hairpin ? 1376 : 1375, cidr: "10.32.0.2/12", routes: [] },
    }),
    remove: async () => {},
    check: async () => ({ wrong: [] }),
    collect: async ({ valid }) => ({ removed: [...valid] }),
  };
  readonly enforcer = new MemoryEnforcer();
  /** Containers of this host and their addresses, as policies see them. */
  readonly attached = new Map<string, readonly string[]>();
  readonly policyService: PolicyService;
  readonly policy: RouterControl["policy"];
  readonly links: RouterControl["links"];
  isReady = true;
  awaiting: readonly string[] = [];
  moreMeasurements: readonly Measurement[] = [];

  constructor(peer: SimPeer) {
    const { ipam, names } = peer.plane;
    this.peer = peer;
    this.ipam = ipam;
    this.containers = new FakeContainers(ipam, names);
    this.policyService = new PolicyService({
      ...{ world: peer.world, self: peer.name, shared: peer.plane.policies, mode: "auto" },
      ...{ isOfCluster: false, nickname: "host1", attached: () => this.attached },
      store: new PodStore(openDatabase(":memory:")),
      exposed: () => [],
      forget() {},
      blocked: () => ({ read: () => [], [Symbol.dispose]() {} }),
      nicknameOf: (name) => peer.plane.mesh.nickname(name),
      peers: () => peer.plane.mesh.knownPeers().map(formatPeerName),
      enforcer: () => ({ enforcer: this.enforcer, reason: "it is a pretended one" }),
      mark: { get: () => false, set() {} },
    });
    this.policyService.start();
    this.links = peer.plane.links;
    this.policy = new PolicyRequests(this.policyService, peer.plane.policies);
    const registry: NameRegistry | undefined = names && {
      domain: names.domain.name,
      add: (fqdn, ident, address) => names.add(fqdn, ident, address) !== "outside-domain",
      remove: ({ fqdn, ...rest }) =>
        void names.remove(fqdn === undefined ? rest : { ...rest, name: fqdn }),
      entries: () => names.entries(),
    };
    this.dns = registry && { names: registry, listenAddress };
  }

  awaited(): readonly string[] {
    return this.awaiting;
  }

  ready(): boolean {
    return this.isReady;
  }

  measurements(): readonly Measurement[] {
    const plane = planeMeasurements(this.peer.plane, this.peer.name);
    return [...plane, ...processMeasurements(), ...this.moreMeasurements];
  }

  connect(peers: readonly string[], options: { replace: boolean }) {
    return this.peer.plane.mesh.connect(peers, options);
  }

  /** What happens when a successor is asked for. */
  successor: () => Promise<number> = async () => 4711;

  succeed(): Promise<number> {
    return this.successor();
  }

  forget(peers: readonly string[]): void {
    this.peer.plane.mesh.forget(peers);
  }

  removePeer(nameOrNickname: string, options: { force: boolean }): number {
    return this.ipam?.allocator.takeover(nameOrNickname, options) ?? 0;
  }

  leave(): void {
    this.ipam?.allocator.shutdown();
  }

  offloads: OffloadStatus[] = [];
  firewall: string[] | undefined;
  proxy: Report["Proxy"];

  async report(): Promise<Report> {
    const { mesh } = this.peer.plane;
    const policy = policyReport(this.policyService, () => [{ name: "p2", nickname: "host2" }]);
    return {
      Ready: this.isReady,
      Version: "3.0.0",
      VersionCheck: {
        Enabled: false,
        Success: false,
        NewVersion: "",
        NextCheckAt: "0001-01-01T00:00:00Z",
      },
      Router: makeRouterReport(mesh.status(), {
        interface: "vethwe-pcap (via pcap)",
        captureStats: { PacketsReceived: 7, PacketsDropped: 0, PacketsIfDropped: 0 },
        macs: [],
        overlayDiagnostics: { sleeve: null },
        offloads: this.offloads,
        ...(this.firewall && { firewall: this.firewall }),
      }),
      ...(this.ipam !== undefined && { IPAM: ipamReport(this.ipam.allocator.status()) }),
      ...(this.dns !== undefined && {
        DNS: {
          Domain: this.dns.names.domain,
          Upstream: ["8.8.8.8"],
          Address: listenAddress,
          TTL: 1,
          Entries: orNull(this.dns.names.entries().map(nameStatus)),
        },
      }),
      ...(this.proxy !== undefined && { Proxy: this.proxy }),
      ...(policy !== undefined && { Policy: policy }),
    };
  }
}

/** One router alone in its cluster, with its control API. */
export class Alone {
  readonly cluster: SimCluster;
  readonly router: TestRouter;
  readonly app: Hono;

  constructor(options: Partial<LaunchOptions> = {}, targets: readonly string[] = []) {
    this.cluster = new SimCluster(1, options);
    this.router = new TestRouter(this.cluster.start(1, targets));
    this.app = controlApp(this.router);
  }

  ask(method: string, path: string, request?: AskOptions): Promise<Answer> {
    return ask(this.app, method, path, request);
  }
}

/** What a client sees of an answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type: string | null;
  readonly headers: Headers;
}

export interface AskOptions {
  readonly form?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** One request without a socket in between. */
export async function ask(
  app: Pick<Hono, "fetch">,
  method: string,
  path: string,
  { form, json, headers = {}, signal }: AskOptions = {},
): Promise<Answer> {
  const type =
    form === undefined ? undefined : { "Content-Type": "application/x-www-form-urlencoded" };
  const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
  const request = new Request(`http://127.0.0.1:6784${path}`, {
    method,
    headers: { ...type, ...headers },
    ...(body !== undefined && { body }),
    ...(signal !== undefined && { signal }),
  });
  const response = await app.fetch(request);
  return {
    status: response.status,
    body: await response.text(),
    type: response.headers.get("Content-Type"),
    headers: response.headers,
  };
}

/** Whether a promise settles without any time passing. */
export async function isAnswered(promise: Promise<unknown>): Promise<boolean> {
  let answered = false;
  const note = (): void => {
    answered = true;
  };
  promise.then(note, note);
  // Every step of a request in process is a microtask; a macrotask comes after all of them.
  await new Promise((resolve) => setImmediate(resolve));
  return answered;
}
