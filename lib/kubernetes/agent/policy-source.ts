import type { EventSink } from "../../base/network-event.ts";
import type { Cancel } from "../../base/world.ts";
import {
  type PolicyInput,
  type PolicyInputs,
  type PolicySource,
  policyKeys,
} from "../../daemon/policy/policy-input.ts";
import type { ClusterPolicy, Pod } from "../../policy/objects.ts";
import { nameOfClusterPolicy, nameOfPolicy, type PolicyName } from "../../policy/policy-name.ts";
import type { PolicyProblem } from "../../policy/policy-problem.ts";
import { readClusterPolicy } from "../../policy/read-cluster-policy.ts";
import { readNetworkPolicy } from "../../policy/read-network-policy.ts";
import type { KubernetesApi } from "../kubernetes-api.ts";
import { keyOf, type ObjectSource } from "../object-observer.ts";
import type { NamespaceObject, NodeObject, PodObject, PolicyObject } from "../objects.ts";
import { pods } from "../resources.ts";
import { type FeedSource, feedSource, PolicyFeed } from "./policy-feed.ts";
import { NewsOfPolicies } from "./policy-news.ts";
import { policyNamespace, policyNode, policyPod } from "./policy-objects.ts";

/** All that policies are about; followed by somebody else. */
export interface PolicyWatches {
  readonly nodes: ObjectSource<NodeObject>;
  readonly namespaces: ObjectSource<NamespaceObject>;
  readonly pods: ObjectSource<PodObject>;
  readonly networkPolicies: ObjectSource<PolicyObject>;
  readonly adminPolicies: ObjectSource<PolicyObject>;
  readonly baselinePolicies: ObjectSource<PolicyObject>;
}

/** Policies as the API server of a cluster has them, and the pods, namespaces and nodes they speak of. */
export class ClusterPolicySource implements PolicySource {
  readonly name = "kubernetes";
  readonly #nodeName: string;
  readonly #api: Pick<KubernetesApi, "get">;
  readonly #watches: PolicyWatches;
  readonly #emit: EventSink;
  readonly #faults = new Map<string, readonly string[]>();
  #ends: readonly Cancel[] = [];

  constructor(parts: {
    /** Of this node: its pods are those that it decides for. */
    readonly nodeName: string;
    readonly api: Pick<KubernetesApi, "get">;
    readonly watches: PolicyWatches;
    readonly emit: EventSink;
  }) {
    this.#nodeName = parts.nodeName;
    this.#api = parts.api;
    this.#watches = parts.watches;
    this.#emit = parts.emit;
  }

  start(inputs: PolicyInputs): void {
    const { nodes, namespaces, pods, networkPolicies } = this.#watches;
    const pod = (object: PodObject): Pod => policyPod(object, this.#nodeName);
    const told = this.#toldOf(inputs);
    this.#ends = [
      feed(inputs.nodes, policyKeys.nodes, feedSource(nodes, policyNode)),
      feed(inputs.namespaces, policyKeys.namespaces, feedSource(namespaces, policyNamespace)),
      feed(inputs.pods, policyKeys.pods, feedSource(pods, pod)),
      feed(
        told.networkPolicies,
        policyKeys.networkPolicies,
        this.#policies(networkPolicies, "NetworkPolicy", readNetworkPolicy),
      ),
      feed(told.clusterPolicies, policyKeys.clusterPolicies, ...this.#tiers()),
    ];
  }

  /** Not told of yet, but known to the server: a pod that has just been given to this node. */
  async resolvePod(namespace: string, name: string): Promise<Pod | undefined> {
    const object = await this.#api.get(pods, { namespace, name });
    return object && policyPod(object, this.#nodeName);
  }

  faults(): readonly string[] {
    return [...this.#faults.values()].flat();
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
  }

  /** Events tell of policies alone: pods, namespaces and nodes come and go as a matter of course. */
  #toldOf(inputs: PolicyInputs): Pick<PolicyInputs, "networkPolicies" | "clusterPolicies"> {
    const { networkPolicies: keyOf, clusterPolicies: keyOfCluster } = policyKeys;
    const emit = this.#emit;
    return {
      networkPolicies: new NewsOfPolicies(inputs.networkPolicies, {
        ...{ keyOf, nameOf: nameOfPolicy, emit },
      }),
      clusterPolicies: new NewsOfPolicies(inputs.clusterPolicies, {
        ...{ keyOf: keyOfCluster, nameOf: nameOfClusterPolicy, emit },
      }),
    };
  }

  #tiers(): FeedSource<ClusterPolicy>[] {
    const { adminPolicies, baselinePolicies } = this.#watches;
    return [
      this.#policies(adminPolicies, "AdminNetworkPolicy", (object) =>
        readClusterPolicy("admin", object),
      ),
      this.#policies(baselinePolicies, "BaselineAdminNetworkPolicy", (object) =>
        readClusterPolicy("baseline", object),
      ),
    ];
  }

  /** Policies with what is wrong with them noted, until they are other or gone. */
  #policies<T>(
    source: ObjectSource<PolicyObject>,
    kind: PolicyName["kind"],
    read: (object: PolicyObject) => {
      readonly policy: T;
      readonly problems: readonly PolicyProblem[];
    },
  ): FeedSource<T> {
    const labelOf = (key: string): string => (kind === "NetworkPolicy" ? key : `${kind} ${key}`);
    const policies = feedSource(source, (object) => {
      const { policy, problems } = read(object);
      const label = labelOf(keyOf(object));
      const faults = problems.map(({ sentence }) => `${label}: ${sentence}`);
      if (faults.length === 0) this.#faults.delete(label);
      else this.#faults.set(label, faults);
      return policy;
    });
    return {
      ...policies,
      observe: (observer) =>
        policies.observe({
          ...observer,
          deleted: (key) => {
            this.#faults.delete(labelOf(key));
            observer.deleted(key);
          },
        }),
    };
  }
}

function feed<T>(
  input: PolicyInput<T>,
  identify: (value: T) => string,
  ...sources: readonly FeedSource<T>[]
): Cancel {
  return new PolicyFeed(input, identify, sources).start();
}
