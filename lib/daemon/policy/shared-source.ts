import type { PeerName } from "../../base/peer-name.ts";
import { formatPeerName } from "../../base/peer-name.ts";
import type { SharedPolicy } from "../../policy/gossip/shared-policy.ts";
import { hostKind, podKind, type RecordName } from "../../policy/gossip/shared-record.ts";
import { namespaceOf } from "../../policy/labels.ts";
import type { ClusterPolicy, Namespace, NetworkPolicy, Pod } from "../../policy/objects.ts";
import { formatPolicyName, nameOfClusterPolicy, nameOfPolicy } from "../../policy/policy-name.ts";
import type { PolicyProblem } from "../../policy/policy-problem.ts";
import { type HostDocument, nodeOf, readHost, writeHost } from "./host-document.ts";
import { type HostPod, readPod, writePod } from "./pod-document.ts";
import { defaultNamespace, isDocumentKind, readContent } from "./policy-document.ts";
import type { PolicyInputs, PolicySource } from "./policy-input.ts";
import type { SharedNews } from "./shared-news.ts";

export interface SharedSourceOptions {
  readonly self: PeerName;
  readonly shared: SharedPolicy;
  /** Whether this host tells of its containers before anybody has asked. */
  readonly isForced: boolean;
  /** The containers of this host, by id. */
  pods(): ReadonlyMap<string, HostPod>;
  /** The host itself. */
  host(): HostDocument;
  readonly news: SharedNews;
}

/**
 * Policies that operators gave to `weave policy` on any host, and the containers of all hosts: what
 * peers tell each other. Before an operator has asked anything of policies, on any host, nobody tells
 * anything.
 */
export class SharedSource implements PolicySource {
  readonly name = "weave policy";
  readonly #options: SharedSourceOptions;
  readonly #self: string;
  /** Namespaces that documents describe; others are there because something is in them. */
  readonly #described = new Map<string, Namespace>();
  /** What is in each namespace. */
  readonly #inhabitants = new Map<string, number>();
  /** In which namespace each pod and policy is, by its name in the table. */
  readonly #placed = new Map<string, string>();
  readonly #faults = new Map<string, readonly string[]>();
  #inputs: PolicyInputs | undefined;
  #tells = false;

  constructor(options: SharedSourceOptions) {
    this.#options = options;
    this.#self = formatPeerName(options.self);
  }

  start(inputs: PolicyInputs): void {
    const { shared, news } = this.#options;
    shared.observe((changed) => {
      this.#heard(changed);
      news.tell(changed, (record) => shared.content(record));
    });
    inputs.namespaces.replaced([namespaceOf(defaultNamespace)]);
    for (const kind of ["pods", "networkPolicies", "clusterPolicies", "nodes"] as const) {
      inputs[kind].replaced([]);
    }
    this.#inputs = inputs;
    news.begin(shared.records());
    this.#heard(shared.records());
    this.hostChanged();
  }

  stop(): void {
    this.#options.shared.observe(() => {});
    this.#inputs = undefined;
  }

  faults(): readonly string[] {
    return [...this.#faults.values()].flat();
  }

  /** Tells of the containers of this host as they are now, if anybody wants to know. */
  hostChanged(): void {
    if (this.#inputs === undefined || !this.#isWanted()) return;
    this.#tells = true;
    const { shared, pods, host } = this.#options;
    shared.sayOwn({
      Pod: new Map([...pods()].map(([id, pod]) => [id, writePod(pod)])),
      Host: new Map([["", writeHost(host())]]),
    });
  }

  /**
   * Somebody asks about containers: from now on all hosts tell of theirs.
   *
   * @returns false when they did already
   */
  wake(): boolean {
    if (this.#tells) return false;
    this.#tells = true;
    this.hostChanged();
    return true;
  }

  /** Hosts that have told of their containers. */
  get tellers(): Set<string> {
    return new Set(this.#options.shared.records(hostKind).map(({ scope }) => scope));
  }

  #isWanted(): boolean {
    return this.#tells || this.#options.isForced || this.#options.shared.records().length > 0;
  }

  #heard(changed: readonly RecordName[]): void {
    const inputs = this.#inputs;
    if (inputs === undefined) return;
    for (const each of changed) this.#take(inputs, each, this.#options.shared.content(each));
    if (!this.#tells) this.hostChanged();
  }

  #take(inputs: PolicyInputs, named: RecordName, content: string | undefined): void {
    const { kind, scope, name } = named;
    const key = JSON.stringify([kind, scope, name]);
    if (kind === podKind) this.#takePod(inputs, key, named, content);
    else if (kind === hostKind) takeHost(inputs, scope, content);
    else if (isDocumentKind(kind)) {
      const read = content === undefined ? undefined : readContent({ kind, scope, name }, content);
      this.#noteFaults(key, read !== undefined && "problems" in read ? read : undefined);
      if (kind === "Namespace") {
        this.#describe(inputs, name, read?.kind === "namespace" ? read.namespace : undefined);
      } else if (kind === "NetworkPolicy") {
        const namespace = scope || defaultNamespace;
        this.#place(inputs, key, read === undefined ? undefined : namespace);
        if (read?.kind === "network") inputs.networkPolicies.put(read.policy);
        else inputs.networkPolicies.removed(`${namespace}/${name}`);
      } else if (read?.kind === "cluster") {
        inputs.clusterPolicies.put(read.policy);
      } else {
        const tier = kind === "AdminNetworkPolicy" ? "admin" : "baseline";
        inputs.clusterPolicies.removed(`${tier}/${name}`);
      }
    }
  }

  #takePod(
    inputs: PolicyInputs,
    key: string,
    { scope: peer, name: container }: RecordName,
    content: string | undefined,
  ): void {
    const isLocal = peer === this.#self;
    const pod: Pod | undefined =
      content === undefined ? undefined : readPod(content, { peer, container, isLocal });
    // First: a namespace that is not known is chosen by no policy.
    this.#place(inputs, key, pod?.namespace);
    if (pod === undefined) inputs.pods.removed(`${peer}/${container}`);
    else inputs.pods.put(pod);
  }

  #describe(inputs: PolicyInputs, name: string, described: Namespace | undefined): void {
    if (described === undefined) this.#described.delete(name);
    else this.#described.set(name, described);
    this.#tellNamespace(inputs, name);
  }

  /** Notes in which namespace something is now; `undefined` for what is gone. */
  #place(inputs: PolicyInputs, key: string, namespace: string | undefined): void {
    const before = this.#placed.get(key);
    if (before === namespace) return;
    if (namespace === undefined) this.#placed.delete(key);
    else this.#placed.set(key, namespace);
    for (const [name, by] of [
      [before, -1],
      [namespace, 1],
    ] as const) {
      if (name === undefined) continue;
      const count = (this.#inhabitants.get(name) ?? 0) + by;
      if (count === 0) this.#inhabitants.delete(name);
      else this.#inhabitants.set(name, count);
      this.#tellNamespace(inputs, name);
    }
  }

  #tellNamespace({ namespaces }: PolicyInputs, name: string): void {
    const described = this.#described.get(name);
    if (described !== undefined) namespaces.put(described);
    else if (this.#inhabitants.has(name) || name === defaultNamespace) {
      namespaces.put(namespaceOf(name));
    } else namespaces.removed(name);
  }

  #noteFaults(
    key: string,
    read: { policy: NetworkPolicy | ClusterPolicy; problems: readonly PolicyProblem[] } | undefined,
  ): void {
    if (read === undefined || read.problems.length === 0) {
      this.#faults.delete(key);
      return;
    }
    const { policy, problems } = read;
    const named = "tier" in policy ? nameOfClusterPolicy(policy) : nameOfPolicy(policy);
    const label = formatPolicyName(named);
    this.#faults.set(
      key,
      problems.map(({ sentence }) => `${label}: ${sentence}`),
    );
  }
}

function takeHost({ nodes }: PolicyInputs, peer: string, content: string | undefined): void {
  const host = content === undefined ? undefined : readHost(content);
  if (host === undefined) nodes.removed(peer);
  else nodes.put(nodeOf(peer, host));
}
