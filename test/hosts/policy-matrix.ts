import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatIpv4, type HostIp, type IpFamily } from "../../lib/base/ip.ts";
import { silentLog } from "../../lib/base/world.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import type { EnforcerOptions } from "../../lib/host/policy/host-enforcer.ts";
import { type Cluster, partyAt } from "../../lib/policy/cluster.ts";
import { PolicyCompiler } from "../../lib/policy/compiler.ts";
import type { PolicyEnforcer } from "../../lib/policy/enforcer.ts";
import type { TransportProtocol } from "../../lib/policy/objects.ts";
import { evaluate } from "../../lib/policy/verdict.ts";
import { clusterFromJson, ipOf } from "../policy/cluster-from-json.ts";
import { type ClusterJson, nameOf, startingPods } from "../policy/suites/cluster-json.ts";
import {
  applied,
  type PodName,
  type Probe,
  type SuiteCase,
  startingCluster,
} from "../policy/suites/index.ts";
import { type LabPod, PodLab, podBridge } from "./pod-lab.ts";
import { type PodProbe, PodProbes } from "./pod-probes.ts";

export interface MatrixOptions {
  /** Tells labs apart; at most four characters. */
  readonly tag: string;
  readonly hosts: 1 | 2;
  readonly cases: readonly SuiteCase[];
  /** Those of which this kernel has sockets. */
  readonly protocols: readonly TransportProtocol[];
  readonly makeEnforcer: (options: EnforcerOptions) => PolicyEnforcer;
}

/**
 * Runs cases of the suites against a kernel: pods are namespaces, on one host or turn about on two,
 * and each host has its own compiler and packet filter. From step to step, and from case to case,
 * only what has changed is put in place.
 *
 * By IPv4 a case says itself who must reach whom. By IPv6 the evaluator says so, for there a block of
 * IPv4 addresses is nobody.
 */
export function policyMatrix(title: string, options: MatrixOptions): void {
  describe(title, () => {
    let matrix: Matrix;
    beforeAll(() => {
      matrix = new Matrix(options);
    });
    afterAll(() => matrix?.[Symbol.dispose]());

    for (const { id, title: what, steps } of options.cases) {
      test(`${id}: ${what}`, () => {
        let cluster = startingCluster(addressOf);
        matrix.begin(cluster);
        for (const { actions, probes } of steps(addressOf)) {
          for (const action of actions)
            cluster = applied(cluster, action, () => matrix.newAddress());
          expect(matrix.wrong(cluster, probes)).toEqual([]);
        }
      });
    }
  });
}

const [firstPod, firstNewPod] = [10, 266];
const servedPorts = [80, 81];

function addressOf(pod: PodName): string {
  return `10.32.0.${firstPod + startingPods.indexOf(pod)}`;
}

interface MatrixProbe extends PodProbe {
  readonly text: string;
  readonly allowed: boolean;
}

class Matrix implements Disposable {
  readonly #options: MatrixOptions;
  readonly #lab: PodLab;
  readonly #probes = new PodProbes(servedPorts);
  readonly #nodes: readonly MatrixNode[];
  readonly #pods = new Map<string, LabPod & { readonly host: number }>();
  /** Pods that were made in this case. */
  #newPods = 0;

  constructor(options: MatrixOptions) {
    this.#options = options;
    this.#lab = new PodLab(options.tag, options.hosts);
    this.#nodes = this.#lab.hosts.map((host) => new MatrixNode(host, options.makeEnforcer));
    for (const [index] of startingPods.entries()) this.#addPod(firstPod + index);
  }

  begin(cluster: ClusterJson): void {
    this.#newPods = 0;
    this.#show(cluster);
  }

  newAddress(): string {
    return this.#addPod(firstNewPod + this.#newPods++);
  }

  /** Attempts that end otherwise than they should. */
  wrong(json: ClusterJson, probes: readonly Probe[]): string[] {
    const cluster = this.#show(json);
    const here = new Map(json.pods.map((pod) => [nameOf(pod), this.#pods.get(pod.status.podIP)!]));
    const wanted = probes
      .filter(({ protocol }) => this.#options.protocols.includes(protocol))
      .flatMap((probe) => {
        const [from, to] = [here.get(probe.from)!, here.get(probe.to)!];
        return ([4, 6] as const).map((family) => matrixProbe(cluster, probe, { from, to, family }));
      });
    const reached = this.#probes.reached(wanted, ({ allowed }) => allowed);
    return wanted
      .filter((probe) => reached.has(probe) !== probe.allowed)
      .map(({ text, allowed }) => `${text}: must ${allowed ? "" : "not "}be reached`);
  }

  [Symbol.dispose](): void {
    for (const node of this.#nodes) node.stop();
    this.#probes[Symbol.dispose]();
    this.#lab[Symbol.dispose]();
  }

  /** Gives its address. */
  #addPod(number: number): string {
    const host = number % this.#lab.hosts.length;
    const address = formatIpv4((ipOf("10.32.0.0") as number) + number);
    if (!this.#pods.has(address)) {
      const pod = { ...this.#lab.pod(this.#lab.hosts[host]!, number), host };
      this.#pods.set(address, pod);
      this.#probes.listen(pod);
    }
    return address;
  }

  /** Has all hosts enforce what follows from it, and gives it with the addresses that pods have. */
  #show(json: ClusterJson): Cluster {
    const { pods, ...others } = clusterFromJson(json);
    const placed = pods.map((pod) => {
      const { ipv4, ipv6, host } = this.#pods.get(formatIpv4(pod.addresses[0] as number))!;
      return { pod: { ...pod, addresses: [ipv4, ipv6] }, host };
    });
    for (const [host, node] of this.#nodes.entries()) {
      const seen = placed.map(({ pod, host: its }) => ({ ...pod, isLocal: its === host }));
      node.show({ ...others, pods: seen });
    }
    return { ...others, pods: placed.map(({ pod }) => pod) };
  }
}

function matrixProbe(
  cluster: Cluster,
  probe: Probe,
  { from, to, family }: { from: LabPod; to: LabPod; family: IpFamily },
): MatrixProbe {
  const { protocol, port } = probe;
  const [source, destination] = [from, to].map(
    (pod): HostIp => (family === 4 ? pod.ipv4 : pod.ipv6),
  );
  const byIpv6 = (): boolean =>
    evaluate(cluster, {
      source: partyAt(cluster, source!),
      destination: partyAt(cluster, destination!),
      port: { protocol, port },
    }).allowed;
  return {
    ...{ from, to, family, protocol, port },
    text: `${probe.from} to ${probe.to} by IPv${family}, ${protocol} ${port}`,
    allowed: family === 4 ? probe.allowed : byIpv6(),
  };
}

/** What one host enforces. */
class MatrixNode {
  readonly #host: NetworkNamespace;
  readonly #compiler = new PolicyCompiler();
  readonly #enforcer: PolicyEnforcer;
  #shown: Cluster = {
    namespaces: [],
    pods: [],
    nodes: [],
    networkPolicies: [],
    clusterPolicies: [],
  };
  #hasBegun = false;

  constructor(host: NetworkNamespace, makeEnforcer: MatrixOptions["makeEnforcer"]) {
    this.#host = host;
    const options = { bridge: podBridge, multicast: "allow", log: silentLog } as const;
    this.#enforcer = host.run(() => makeEnforcer(options));
  }

  show(cluster: Cluster): void {
    this.#tell(cluster);
    this.#shown = cluster;
    const change = this.#compiler.commit();
    const { rules } = this.#compiler;
    this.#host.run(() => {
      if (!this.#hasBegun) this.#enforcer.replace(rules);
      else if (change !== undefined) this.#enforcer.apply(change, rules);
    });
    this.#hasBegun = true;
  }

  stop(): void {
    this.#host.run(() => this.#enforcer.remove());
  }

  #tell({ namespaces, pods, networkPolicies }: Cluster): void {
    const before = this.#shown;
    for (const { name } of before.namespaces) this.#compiler.removeNamespace(name);
    for (const { id } of before.pods) this.#compiler.removePod(id);
    for (const { namespace, name } of before.networkPolicies) {
      this.#compiler.removeNetworkPolicy(namespace, name);
    }
    for (const namespace of namespaces) this.#compiler.putNamespace(namespace);
    for (const pod of pods) this.#compiler.putPod(pod);
    for (const policy of networkPolicies) this.#compiler.putNetworkPolicy(policy);
  }
}
