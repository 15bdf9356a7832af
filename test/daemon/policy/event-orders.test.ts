import { afterEach, expect, test } from "bun:test";
import { formatIpv4, parseCidr } from "../../../lib/base/ip.ts";
import { formatPeerName } from "../../../lib/base/peer-name.ts";
import { type Random, randomBelow, seededRandom } from "../../../lib/base/random.ts";
import { openDatabase } from "../../../lib/daemon/database.ts";
import { PodStore } from "../../../lib/daemon/policy/pod-store.ts";
import { PolicyService } from "../../../lib/daemon/policy/policy-service.ts";
import type { Cluster } from "../../../lib/policy/cluster.ts";
import { labelsOf, namespaceOf } from "../../../lib/policy/labels.ts";
import type { Pod } from "../../../lib/policy/objects.ts";
import { readNetworkPolicy } from "../../../lib/policy/read-network-policy.ts";
import { evaluate } from "../../../lib/policy/verdict.ts";
import { ipOf } from "../../../lib/simulator/cluster.ts";
import { isLetThrough } from "../../policy/interpret.ts";
import { SimCluster } from "../../sim/cluster.ts";
import { MemoryEnforcer } from "./memory-enforcer.ts";

const numbers = [1, 2, 3];
const port = { protocol: "TCP", port: 80 } as const;
const firstAddress = 0x0a200001;

interface Resident {
  readonly host: number;
  readonly address: number;
  readonly labels: Record<string, string>;
  readonly sinceMs: number;
}

/** What of a host outlives its router. */
interface Machine {
  readonly filter: MemoryEnforcer;
  readonly store: PodStore;
  isMarked: boolean;
  service: PolicyService | undefined;
}

/** Hosts with policies, whose routers come and go while their packet filters stay. */
class PolicyHosts {
  readonly cluster: SimCluster;
  readonly machines = new Map<number, Machine>();
  readonly residents = new Map<string, Resident>();

  constructor(seed: number) {
    this.cluster = new SimCluster(seed, { ipalloc: undefined, dns: undefined });
    for (const number of numbers) {
      const store = new PodStore(openDatabase(":memory:"));
      const filter = new MemoryEnforcer();
      this.machines.set(number, { filter, store, isMarked: false, service: undefined });
      this.start(number);
    }
  }

  start(number: number): void {
    const peer = this.cluster.start(number, [ipOf(number === 1 ? 2 : 1)]);
    const machine = this.machines.get(number)!;
    machine.service = new PolicyService({
      ...{ world: peer.world, self: peer.name, shared: peer.plane.policies, mode: "auto" },
      ...{ isOfCluster: false, nickname: `host${number}`, store: machine.store },
      exposed: () => [],
      nicknameOf: (name) => peer.plane.mesh.nickname(name),
      peers: () => peer.plane.mesh.knownPeers().map(formatPeerName),
      attached: () => this.#attached(number),
      enforcer: () => ({ enforcer: machine.filter, reason: "" }),
      forget() {},
      blocked: () => ({ read: () => [], [Symbol.dispose]() {} }),
      mark: {
        get: () => machine.isMarked,
        set: (isInPlace) => {
          machine.isMarked = isInPlace;
        },
      },
    });
    machine.service.start();
  }

  kill(number: number): void {
    this.machines.get(number)!.service?.stop();
    this.machines.get(number)!.service = undefined;
    this.cluster.kill(number, { silent: false });
  }

  async attach(ident: string, host: number, labels: Record<string, string>): Promise<void> {
    const service = this.machines.get(host)!.service;
    if (service === undefined || this.residents.has(ident)) return;
    const address = this.#freeAddress();
    const cidr = parseCidr(`${formatIpv4(address)}/12`);
    const admitted = await service.admit({ ident, labels }, [cidr], new AbortController().signal);
    const sinceMs = this.cluster.peer(host)!.world.now();
    this.residents.set(ident, { host, address, labels, sinceMs });
    admitted.made();
    service.hostChanged();
  }

  detach(ident: string): void {
    const resident = this.residents.get(ident);
    const service = resident && this.machines.get(resident.host)!.service;
    if (service === undefined) return;
    this.residents.delete(ident);
    service.hostChanged();
  }

  say(host: number, scope: string, name: string, spec: object | undefined): void {
    const metadata = { name, namespace: scope };
    const content =
      spec && JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind, metadata, spec });
    this.cluster.peer(host)?.plane.policies?.say([{ kind, scope, name, content }]);
    this.machines.get(host)!.service?.controller?.act();
  }

  /** What packet filters do with a connection. */
  opens(from: string, to: string): boolean {
    const [source, destination] = [this.residents.get(from)!, this.residents.get(to)!];
    const packet = { source: source.address, destination: destination.address, port };
    return [source.host, destination.host].every((host) => {
      const { rules } = this.machines.get(host)!.filter;
      return rules === undefined || isLetThrough(rules, packet);
    });
  }

  /** What policies say of it. */
  mayOpen(from: string, to: string): boolean {
    const cluster = this.truth();
    const party = (ident: string) => {
      const pod = cluster.pods.find(({ id }) => id === ident)!;
      return { pod, address: pod.addresses[0]! };
    };
    return evaluate(cluster, { source: party(from), destination: party(to), port }).allowed;
  }

  truth(): Cluster {
    const pods = [...this.residents].map(
      ([id, { host, address, labels, sinceMs }]): Pod => ({
        ...{ id, name: id, namespace: labels[namespaceKey] ?? "default", labels: labelsOf(labels) },
        ...{ addresses: [address], ports: [], isLocal: true, node: `${host}`, sinceMs },
      }),
    );
    const records = this.cluster.peers[0]!.plane.policies!.records(kind);
    const networkPolicies = records.map(
      ({ content }) => readNetworkPolicy(JSON.parse(content)).policy,
    );
    const names = new Set([...pods, ...networkPolicies].map(({ namespace }) => namespace));
    const namespaces = [...names].map((name) => namespaceOf(name));
    return { namespaces, pods, nodes: [], networkPolicies, clusterPolicies: [] };
  }

  #attached(number: number): Map<string, string[]> {
    const here = [...this.residents].filter(([, { host }]) => host === number);
    return new Map(here.map(([ident, { address }]) => [ident, [`${formatIpv4(address)}/12`]]));
  }

  /** The lowest, so that addresses are given out again at once. */
  #freeAddress(): number {
    const taken = new Set([...this.residents.values()].map(({ address }) => address));
    let address = firstAddress;
    while (taken.has(address)) address++;
    return address;
  }

  stop(): void {
    for (const { service } of this.machines.values()) service?.stop();
    for (const { number } of this.cluster.peers) this.cluster.stop(number);
  }
}

const kind = "NetworkPolicy";
const namespaceKey = "weave.works/namespace";
const namespaces = ["default", "shop"];

function anySpec(random: Random): object {
  const pick = <T>(from: readonly T[]): T => from[randomBelow(random, from.length)]!;
  const selector = () => pick([{}, { matchLabels: { app: "a" } }, { matchLabels: { app: "b" } }]);
  const everywhere = { namespaceSelector: {}, podSelector: selector() };
  const peers = pick([[], [{ podSelector: selector() }], [everywhere]]);
  const rules = pick([[], [{ from: peers }], [{ from: peers, ports: [{ port: 80 }] }]]);
  const egress = pick([undefined, [], [{ to: [everywhere] }]]);
  return { podSelector: selector(), ingress: rules, ...(egress && { egress }) };
}

let hosts: PolicyHosts | undefined;
afterEach(() => hosts?.stop());

for (const seed of [1, 2, 3, 4]) {
  test(`whatever comes in whatever order, what is denied stays denied, and what is allowed allowed; life ${seed}`, async () => {
    hosts = new PolicyHosts(seed);
    const life = hosts;
    const { cluster, machines } = life;
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
    // Two connections that nothing of what follows is about: between all hosts, in a namespace apart.
    life.say(1, "vault", "deny", { podSelector: {}, policyTypes: ["Ingress"] });
    const fromKeeper = { podSelector: { matchLabels: { app: "keeper" } } };
    life.say(1, "vault", "keeper", { podSelector: {}, ingress: [{ from: [fromKeeper] }] });
    await life.attach("vault", 1, { [namespaceKey]: "vault" });
    await life.attach("keeper", 2, { [namespaceKey]: "vault", app: "keeper" });
    await life.attach("thief", 3, { [namespaceKey]: "street" });
    await cluster.runUntil("known", () => life.opens("keeper", "vault"), 1000);
    let moments = 0;
    const watch = (): void => {
      moments++;
      expect([life.opens("keeper", "vault"), life.opens("thief", "vault")]).toEqual([true, false]);
    };
    for (const { filter } of machines.values()) filter.done = watch;

    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[randomBelow(random, from.length)]!;
    const deeds: ((number: number) => void | Promise<void>)[] = [
      (number) => life.say(number, pick(namespaces), pick(["p", "q"]), anySpec(random)),
      (number) => life.say(number, pick(namespaces), pick(["p", "q"]), undefined),
      (number) => {
        const labels = { app: pick(["a", "b"]), [namespaceKey]: pick(namespaces) };
        return life.attach(pick(["c1", "c2", "c3", "c4"]), number, labels);
      },
      () => life.detach(pick(["c1", "c2", "c3", "c4"])),
      (number) => {
        if (machines.get(number)!.service === undefined) life.start(number);
        else life.kill(number);
      },
      (number) => cluster.network.cut(ipOf(number), ipOf((number % 3) + 1)),
      (number) => cluster.network.heal(ipOf(number), ipOf((number % 3) + 1)),
    ];
    for (let step = 0; step < 80; step++) {
      await pick(deeds)(pick(numbers));
      watch();
      for (let slice = pick([0, 1, 5, 40]); slice > 0; slice--) {
        await cluster.run(20);
        watch();
      }
    }

    for (const number of numbers) {
      cluster.network.heal(ipOf(number), ipOf((number % 3) + 1));
      if (machines.get(number)!.service === undefined) life.start(number);
    }
    const views = () => cluster.peers.map(({ plane }) => plane.policies!.comparison.digest());
    const agree = () => new Set(views().map((digest) => digest?.toHex())).size === 1;
    await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 20 * 60_000);
    await cluster.runUntil("agreement", agree, 120_000);
    await cluster.run(1000);
    const idents = [...life.residents.keys()];
    const pairs = idents.flatMap((from) =>
      idents.filter((to) => to !== from).map((to) => [from, to] as const),
    );
    const wrong = pairs.filter(([from, to]) => life.opens(from, to) !== life.mayOpen(from, to));
    expect(wrong).toEqual([]);
    expect(moments).toBeGreaterThan(500);
  });
}
