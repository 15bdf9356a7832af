import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { prometheusText } from "../../../lib/api/metrics/prometheus-text.ts";
import { statusText } from "../../../lib/api/status-text.ts";
import { type HostIp, parseCidr, parseIpv4 } from "../../../lib/base/ip.ts";
import type { EventSink } from "../../../lib/base/network-event.ts";
import { formatPeerName, type PeerName } from "../../../lib/base/peer-name.ts";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { askedBy, currentCaller } from "../../../lib/daemon/events/asked-by.ts";
import { policyMeasurements } from "../../../lib/daemon/metrics/policy-measurements.ts";
import { portsOf } from "../../../lib/daemon/policy/pod-facts.ts";
import { PodStore } from "../../../lib/daemon/policy/pod-store.ts";
import { policyFacts } from "../../../lib/daemon/policy/policy-facts.ts";
import type { PolicyInputs } from "../../../lib/daemon/policy/policy-input.ts";
import { policyReport } from "../../../lib/daemon/policy/policy-report.ts";
import { PolicyRequests } from "../../../lib/daemon/policy/policy-requests.ts";
import { PolicyService } from "../../../lib/daemon/policy/policy-service.ts";
import { SqliteRecordStore } from "../../../lib/daemon/policy/record-store.ts";
import { encodeRecords } from "../../../lib/policy/gossip/record-codec.ts";
import { SharedPolicy } from "../../../lib/policy/gossip/shared-policy.ts";
import { namespaceOf } from "../../../lib/policy/labels.ts";
import type { NetworkPolicy } from "../../../lib/policy/objects.ts";
import { VirtualClock } from "../../../lib/simulator/virtual-clock.ts";
import { SimWorld } from "../../../lib/simulator/world.ts";
import { emptyReport } from "../../api/empty-report.ts";
import { isLetThrough } from "../../policy/interpret.ts";
import { MemoryEnforcer } from "./memory-enforcer.ts";
import { MemoryFlows } from "./memory-flows.ts";

const self = 0x010000000001 as PeerName;
const never = new AbortController().signal;
const outside = parseIpv4("192.0.2.1");

/** A host that may be started again with what it has stored. */
class OneHost {
  readonly clock = new VirtualClock();
  readonly filter = new MemoryEnforcer();
  readonly database = openDatabase(":memory:");
  readonly attached = new Map<string, readonly string[]>();
  readonly told: unknown[] = [];
  /** Whose connections the kernel was to forget. */
  readonly forgotten: HostIp[] = [];
  /** For whom each of these was told. */
  readonly callers: unknown[] = [];
  service!: PolicyService;
  shared!: SharedPolicy;
  /** What stands; absent: nobody looks. */
  flows?: MemoryFlows;
  missingForCut?: string;
  #isMarked = false;

  start(isOfCluster = false): this {
    const world = new SimWorld(this.clock, 1);
    const store = new SqliteRecordStore(this.database);
    this.shared = new SharedPolicy(world, { self, store, isKnownPeer: () => false });
    this.service = new PolicyService({
      ...{ world, self, shared: this.shared, store: new PodStore(this.database) },
      ...{ mode: isOfCluster ? "on" : "auto", isOfCluster, nickname: "host1" },
      attached: () => this.attached,
      exposed: () => [],
      nicknameOf: () => "host2",
      peers: () => [],
      ...(this.flows && { standing: { flows: this.flows, judgesGroups: false } }),
      enforcer: () => ({
        ...{ enforcer: this.filter, reason: "" },
        ...(this.missingForCut !== undefined && { missingForCut: this.missingForCut }),
      }),
      emit: this.emit,
      forget: (addresses) => void this.forgotten.push(...addresses),
      blocked: () => ({ read: () => [], [Symbol.dispose]() {} }),
      mark: {
        get: () => this.#isMarked,
        set: (isInPlace) => {
          this.#isMarked = isInPlace;
        },
      },
    });
    this.service.start();
    this.clock.run(50);
    return this;
  }

  readonly emit: EventSink = (kind, details) => {
    this.told.push([kind, details]);
    this.callers.push(currentCaller());
  };

  /** What the filter does with a connection from outside. */
  receives(address: string): boolean {
    const packet = { source: outside, destination: parseIpv4(address), port: undefined };
    return this.filter.rules === undefined || isLetThrough(this.filter.rules, packet);
  }

  deny(namespace: string): void {
    const metadata = { name: "deny", namespace };
    const spec = { podSelector: {}, policyTypes: ["Ingress"] };
    const content = JSON.stringify({ kind: "NetworkPolicy", metadata, spec });
    this.shared.say([{ kind: "NetworkPolicy", scope: namespace, name: "deny", content }]);
    this.clock.run(50);
  }

  async attach(ident: string, address: string, labels?: Record<string, string>): Promise<void> {
    const cidr = parseCidr(`${address}/12`);
    const known = { ident, ...(labels !== undefined && { labels }) };
    const admitted = await this.service.admit(known, [cidr], never);
    this.attached.set(ident, [`${address}/12`]);
    admitted.made();
  }
}

const inShop = { "weave.works/namespace": "shop" };

describe("a container that is attached", () => {
  test("is judged before its interface is there, and by the same labels after a restart", async () => {
    const host = new OneHost().start();
    host.deny("shop");
    await host.attach("netns:c1", "10.32.0.1", inShop);
    expect(host.receives("10.32.0.1")).toBe(false);
    host.service.stop();
    host.start();
    expect(host.receives("10.32.0.1")).toBe(false);
    await host.attach("netns:c1", "10.32.0.1");
    expect(host.receives("10.32.0.1")).toBe(false);
  });

  test("stays in the namespace that its runtime said when an operator attaches it as well", async () => {
    const host = new OneHost().start();
    host.deny("shop");
    const pod = { namespace: "shop", name: "web" };
    const cidr = parseCidr("10.32.0.1/12");
    (await host.service.admit({ ident: "c1", pod }, [cidr], never)).made();
    host.attached.set("c1", ["10.32.0.1/12"]);
    await host.attach("c1", "10.2.1.1");
    host.attached.set("c1", ["10.32.0.1/12", "10.2.1.1/12"]);
    host.service.hostChanged();
    host.clock.run(50);
    expect([host.receives("10.32.0.1"), host.receives("10.2.1.1")]).toEqual([false, false]);
  });

  test("begins anew at addresses that it has not had, while policies are enforced", async () => {
    const host = new OneHost().start();
    await host.attach("netns:c0", "10.32.0.9");
    expect(host.forgotten).toEqual([]);
    host.deny("shop");
    await host.attach("netns:c1", "10.32.0.1", inShop);
    await host.attach("netns:c1", "10.32.0.1");
    expect(host.forgotten).toEqual([parseIpv4("10.32.0.1")]);
  });

  test("is forgotten with its labels when it is detached", async () => {
    const host = new OneHost().start();
    host.deny("shop");
    await host.attach("netns:c1", "10.32.0.1", inShop);
    host.attached.delete("netns:c1");
    host.service.hostChanged();
    await host.attach("netns:c1", "10.32.0.1");
    expect(host.receives("10.32.0.1")).toBe(true);
    expect(new PodStore(host.database).all().get("netns:c1")).toMatchObject({ labels: {} });
  });

  test("before anybody noted who it is, is known by what its engine says of it", () => {
    const host = new OneHost();
    const id = "ab".repeat(32);
    host.attached.set(id, ["10.32.0.1/12"]);
    host.start().deny("shop");
    expect(host.receives("10.32.0.1")).toBe(true);
    host.service.found([
      { id, names: ["db"], labels: inShop },
      { id: "cd".repeat(32), names: ["elsewhere"], labels: inShop },
    ]);
    host.clock.run(50);
    expect(host.receives("10.32.0.1")).toBe(false);
  });

  test("leaves no trace when its interface could not be made", async () => {
    const host = new OneHost().start();
    host.deny("shop");
    const cidr = parseCidr("10.32.0.1/12");
    const known = { ident: "netns:c1", labels: inShop };
    (await host.service.admit(known, [cidr], never)).undo();
    host.clock.run(50);
    expect(host.filter.rules?.targets.ingress.size).toBe(0);
    expect(new PodStore(host.database).all().size).toBe(0);
  });

  test("costs nothing and tells nobody anything while there are no policies", async () => {
    const host = new OneHost().start();
    await host.attach("netns:c1", "10.32.0.1", inShop);
    host.service.hostChanged();
    expect(host.shared.full()).toBeUndefined();
    expect(host.filter.deeds).toEqual([]);
  });
});

describe("a place in a network of an engine", () => {
  test("lets nothing pass until it is known whose it is", () => {
    const host = new OneHost().start();
    host.deny("shop");
    host.attached.set("endpoint:e1", ["10.32.0.9/12"]);
    host.service.joining();
    expect(host.receives("10.32.0.9")).toBe(false);
    host.service.joined("e1", { name: "db", labels: {} });
    expect(host.receives("10.32.0.9")).toBe(true);
    host.service.joined("e1", { name: "db", labels: inShop });
    expect(host.receives("10.32.0.9")).toBe(false);
  });

  test("that is given up before anybody knew leaves nothing behind", () => {
    const host = new OneHost().start();
    host.deny("shop");
    host.attached.set("endpoint:e1", ["10.32.0.9/12"]);
    host.service.joining();
    host.attached.clear();
    host.service.hostChanged();
    host.clock.run(50);
    expect(host.receives("10.32.0.9")).toBe(true);
  });
});

describe("what other peers say", () => {
  const kinds = ["NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "Namespace"];

  test("denies what it is about when nobody can read it", async () => {
    const host = new OneHost().start();
    await host.attach("netns:c1", "10.32.0.1", inShop);
    for (const content of ["no JSON", "7", "[]", '{"spec":7}', '{"spec":{"ingress":7}}']) {
      host.shared.say([{ kind: "NetworkPolicy", scope: "shop", name: "odd", content }]);
      host.clock.run(50);
      expect([content, host.receives("10.32.0.1")]).toEqual([content, false]);
      expect(host.service.controller?.source.faults()).not.toEqual([]);
    }
    host.shared.say([{ kind: "NetworkPolicy", scope: "shop", name: "odd", content: undefined }]);
    host.clock.run(50);
    expect(host.receives("10.32.0.1")).toBe(true);
    expect(host.service.controller?.source.faults()).toEqual([]);
  });

  test("breaks nothing, whatever it is", () => {
    const host = new OneHost().start();
    const peer = 0x020000000002 as PeerName;
    const said = fc.record({
      kind: fc.constantFrom(...kinds, "Pod", "Host", "of another version"),
      scope: fc.constantFrom("", "shop", formatPeerName(peer), formatPeerName(self)),
      name: fc.string({ maxLength: 8 }),
      content: fc.oneof(fc.json(), fc.string()),
    });
    let wallMs = 0;
    fc.assert(
      fc.property(said, (each) => {
        const stamp = { wallMs: ++wallMs, count: 0, peer };
        host.shared.onGossip(peer, encodeRecords([{ ...each, stamp }])[0]!);
        host.clock.run(20);
        expect(host.service.controller?.trouble).toBeUndefined();
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("a node of a cluster", () => {
  test("knows after a restart whose its interfaces are, before the cluster tells their addresses", async () => {
    const host = new OneHost().start(true);
    const sync = (uid: string) => (inputs: PolicyInputs) => {
      const pod = { id: uid, namespace: "default", name: "web", addresses: [], isLocal: true };
      for (const kind of ["namespaces", "networkPolicies", "clusterPolicies", "nodes"] as const) {
        inputs[kind].replaced([]);
      }
      inputs.pods.replaced([{ ...pod, labels: new Map(), ports: [], sinceMs: 0 }]);
    };
    const source = (start: (inputs: PolicyInputs) => void) => ({
      ...{ name: "kubernetes" as const, start, faults: () => [], stop() {} },
    });
    host.service.begin(source(sync("uid-1")));
    const pod = { namespace: "default", name: "web", uid: "uid-1" };
    const cidr = parseCidr("10.32.0.1/12");
    (await host.service.admit({ ident: "c1", pod }, [cidr], never)).made();
    host.attached.set("c1", ["10.32.0.1/12"]);
    host.service.stop();
    host.start(true);
    host.service.begin(source(sync("uid-2")));
    host.clock.run(50);
    // The pod that it was made for is not there any more: nobody else has its address.
    expect(host.receives("10.32.0.1")).toBe(false);
    host.service.dismiss("c1");
    host.clock.run(50);
    expect(host.receives("10.32.0.1")).toBe(true);
  });

  test("judges a pod by all addresses that it is given, for as long as it has them", async () => {
    const host = new OneHost().start(true);
    const deny: NetworkPolicy = { namespace: "shop", name: "deny", podSelector: [], ingress: [] };
    const known = { id: "uid-1", namespace: "shop", name: "web", addresses: [], isLocal: true };
    host.service.begin({
      name: "kubernetes",
      start(inputs) {
        inputs.namespaces.replaced([namespaceOf("shop")]);
        for (const kind of ["clusterPolicies", "nodes"] as const) inputs[kind].replaced([]);
        inputs.pods.replaced([{ ...known, labels: new Map(), ports: [], sinceMs: 0 }]);
        inputs.networkPolicies.replaced([deny]);
      },
      faults: () => [],
      stop() {},
    });
    const judged = () => ["10.32.0.1", "10.2.1.1"].filter((each) => !host.receives(each));
    const follow = (...cidrs: string[]): void => {
      host.attached.set("c1", cidrs);
      host.service.hostChanged();
      host.clock.run(50);
    };
    const pod = { namespace: "shop", name: "web", uid: "uid-1" };
    const [first, second] = [parseCidr("10.32.0.1/12"), parseCidr("10.2.1.1/24")];
    (await host.service.admit({ ident: "c1", pod }, [first], never)).made();
    follow("10.32.0.1/12");
    // By an operator, who says nothing of the pod; and once in vain.
    (await host.service.admit({ ident: "c1" }, [second], never)).undo();
    host.clock.run(50);
    expect(judged()).toEqual(["10.32.0.1"]);
    (await host.service.admit({ ident: "c1" }, [second], never)).made();
    expect(judged()).toEqual(["10.32.0.1", "10.2.1.1"]);
    follow("10.32.0.1/12", "10.2.1.1/24");
    expect(judged()).toEqual(["10.32.0.1", "10.2.1.1"]);
    follow("10.32.0.1/12");
    expect(judged()).toEqual(["10.32.0.1"]);
  });

  test("shows the cluster's policies and takes no others, and says its pods to no other host", async () => {
    const host = new OneHost().start(true);
    const policy: NetworkPolicy = { namespace: "shop", name: "deny", podSelector: [], ingress: [] };
    host.service.begin({
      name: "kubernetes",
      start(inputs) {
        for (const kind of ["namespaces", "pods", "clusterPolicies", "nodes"] as const) {
          inputs[kind].replaced([]);
        }
        inputs.networkPolicies.replaced([policy]);
      },
      faults: () => [],
      stop() {},
    });
    const requests = new PolicyRequests(host.service, host.shared);
    const { policies } = await requests.list({ now: true });
    expect(policies).toEqual([
      { kind: "NetworkPolicy", namespace: "shop", name: "deny", document: null },
    ]);
    for (const ask of [
      () => requests.apply({ documents: [], namespace: "default" }),
      () => requests.remove({ documents: [], names: [], namespace: "default" }),
    ]) {
      expect(ask).toThrow("those of its cluster");
    }
    await host.attach("c1", "10.32.0.1");
    expect(host.shared.full()).toBeUndefined();
  });
});

test("what is done to policies is told, and that they are enforced, each once", () => {
  const host = new OneHost().start();
  const requests = new PolicyRequests(host.service, host.shared);
  const name = { kind: "NetworkPolicy", namespace: "shop", name: "deny" };
  const here = { peer: formatPeerName(self), nickname: "host1" };
  const document = (policyTypes: string[]) => ({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
    ...{ metadata: { name: "deny", namespace: "shop" }, spec: { podSelector: {}, policyTypes } },
  });
  for (const types of [["Ingress"], ["Ingress"], ["Ingress", "Egress"]]) {
    requests.apply({ documents: [document(types)], namespace: "default" });
    host.clock.run(50);
  }
  requests.remove({ documents: [], names: [name], namespace: "default" });
  requests.remove({ documents: [], names: [name], namespace: "default" });
  host.clock.run(50);
  expect(host.told).toEqual([
    ["policy.applied", { ...name, ...here, change: "created" }],
    ["policy.phase", { phase: "enforcing", code: "", reason: "" }],
    ["policy.applied", { ...name, ...here, change: "changed" }],
    ["policy.deleted", { ...name, ...here }],
    ["policy.phase", { phase: "off", code: "", reason: "" }],
  ]);
});

describe("what other hosts say of policies", () => {
  const other = 0x020000000002 as PeerName;
  const name = { kind: "NetworkPolicy", scope: "shop", name: "deny" };
  const details = { kind: "NetworkPolicy", namespace: "shop", name: "deny" };
  const there = { peer: formatPeerName(other), nickname: "host2" };
  const saying = (wallMs: number, content?: string): Uint8Array =>
    encodeRecords([{ ...name, stamp: { wallMs, count: 0, peer: other }, content }])[0]!;
  const policies = (host: OneHost): unknown[] =>
    host.told.filter((each) => `${each}`.match(/^policy.(applied|deleted)/));

  test("is told with the host at which it was said, each change once", () => {
    const host = new OneHost().start();
    const heard = [saying(1, "{}"), saying(1, "{}"), saying(3, '{"spec":{}}'), saying(2, "{}")];
    // Whatever anybody here has asked for had no part in it.
    askedBy({ kind: "cli" }, () => {
      for (const payload of [...heard, saying(4), saying(4)]) host.shared.onGossip(other, payload);
    });
    expect(policies(host)).toEqual([
      ["policy.applied", { ...details, ...there, change: "created" }],
      ["policy.applied", { ...details, ...there, change: "changed" }],
      ["policy.deleted", { ...details, ...there }],
    ]);
    expect(host.callers).toEqual([undefined, undefined, undefined]);
  });

  test("is no news after a restart, unless it was said meanwhile", () => {
    const host = new OneHost().start();
    host.shared.onGossip(other, saying(1, "{}"));
    host.service.stop();
    host.shared.stop();
    host.told.length = 0;
    host.start();
    host.shared.onGossip(other, saying(1, "{}"));
    expect(policies(host)).toEqual([]);
    host.shared.onBroadcast(other, saying(2, '{"spec":{}}'));
    expect(policies(host)).toEqual([
      ["policy.applied", { ...details, ...there, change: "changed" }],
    ]);
  });
});

describe("connections that later policies do not allow", () => {
  const flow = (destination: string) => ({
    opening: { source: outside, destination: parseIpv4(destination), port: undefined },
    ...{ protocol: 1, isCut: false, isOver: false, isAnnounced: false },
  });
  const shown = (host: OneHost) => {
    const Policy = policyReport(host.service, () => [])!;
    return {
      status: statusText({ ...emptyReport("01:00:00:00:00:01"), Policy }),
      facts: policyFacts(Policy, []),
      metrics: prometheusText(policyMeasurements(host.service)),
    };
  };

  test("are ended, which is an event, a metric and a line of the status", async () => {
    const host = new OneHost();
    host.flows = new MemoryFlows();
    host.flows.flows.push(flow("10.32.0.1"), flow("10.32.0.2"));
    host.start();
    await host.attach("netns:c1", "10.32.0.1", inShop);
    host.deny("shop");
    await new Promise(setImmediate);
    expect(host.flows.flows.map(({ isCut }) => isCut)).toEqual([true, false]);
    expect(host.told).toContainEqual([
      "policy.cut",
      { count: 1, flows: ["ICMP 192.0.2.1 to shop/c1"] },
    ]);
    const { status, facts, metrics } = shown(host);
    expect(status).toContain("            Cut: 1 connections\n");
    expect(facts?.standing).toBeUndefined();
    expect(metrics).toContain("weave_policy_flows_cut_total 1\n");
  });

  test("go on where that was not asked for, and nothing is said of it", async () => {
    const host = new OneHost().start();
    host.deny("shop");
    const { status, facts, metrics } = shown(host);
    expect(status).not.toContain("Cut:");
    expect(facts?.standing).toBeUndefined();
    expect(metrics).not.toContain("flows_cut");
  });

  test("go on where the host cannot end them, which status and doctor say", async () => {
    const host = new OneHost();
    host.flows = new MemoryFlows();
    host.missingForCut = "the kernel has no marks";
    host.start();
    host.deny("shop");
    const text = "connections that policies do not allow any more go on: the kernel has no marks";
    const { status, facts } = shown(host);
    expect(status).toContain(`Status: enforcing by nftables\n`);
    expect(status).toContain(`       Standing: ${text}\n         Remedy: load the kernel's`);
    expect(facts?.standing?.text).toBe(text);
    expect(host.flows.looks).toEqual([]);
  });
});

test("ports have names by labels, and odd labels name none", () => {
  expect(
    portsOf({
      "weave.works/port.web": "80/tcp",
      "weave.works/port.dns": "53/UDP",
      "weave.works/port.plain": "9000",
      "weave.works/port.odd": "http",
      "weave.works/port.large": "65536/tcp",
      "weave.works/port.strange": "80/gre",
      "app.kubernetes.io/port": "80",
    }),
  ).toEqual([
    { name: "web", protocol: "TCP", port: 80 },
    { name: "dns", protocol: "UDP", port: 53 },
    { name: "plain", protocol: "TCP", port: 9000 },
  ]);
});
