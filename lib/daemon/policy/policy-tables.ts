import type { Cluster } from "../../policy/cluster.ts";
import type { PolicyCompiler } from "../../policy/compiler.ts";
import type { ClusterPolicy, Namespace, NetworkPolicy, Node, Pod } from "../../policy/objects.ts";
import { AdmittedPods } from "./admitted-pods.ts";
import { ObjectTable } from "./object-table.ts";
import { type PolicyInputs, policyKeys } from "./policy-input.ts";

/** Everything that a source has told, on its way into a compiler. */
export class PolicyTables implements PolicyInputs {
  readonly namespaces: ObjectTable<Namespace>;
  readonly pods: ObjectTable<Pod>;
  readonly networkPolicies: ObjectTable<NetworkPolicy>;
  readonly clusterPolicies: ObjectTable<ClusterPolicy>;
  readonly nodes: ObjectTable<Node>;
  readonly admitted: AdmittedPods;

  /** @param changed called after each change, and when a kind is known as a whole */
  constructor(compiler: PolicyCompiler, changed: () => void) {
    this.admitted = new AdmittedPods(compiler);
    this.pods = new ObjectTable(policyKeys.pods, this.admitted, changed);
    this.namespaces = new ObjectTable(
      policyKeys.namespaces,
      {
        put: (namespace) => {
          compiler.putNamespace(namespace);
          this.admitted.namespaceTold(namespace.name);
        },
        remove: ({ name }) => {
          compiler.removeNamespace(name);
          this.admitted.namespaceGone(name);
        },
      },
      changed,
    );
    this.networkPolicies = new ObjectTable(
      policyKeys.networkPolicies,
      {
        put: (policy) => compiler.putNetworkPolicy(policy),
        remove: ({ namespace, name }) => compiler.removeNetworkPolicy(namespace, name),
      },
      changed,
    );
    this.clusterPolicies = new ObjectTable(
      policyKeys.clusterPolicies,
      {
        put: (policy) => compiler.putClusterPolicy(policy),
        remove: ({ tier, name }) => compiler.removeClusterPolicy(tier, name),
      },
      changed,
    );
    this.nodes = new ObjectTable(
      policyKeys.nodes,
      {
        put: (node) => compiler.putNode(node),
        remove: ({ name }) => compiler.removeNode(name),
      },
      changed,
    );
  }

  /** Kinds of which not everything has been told yet. */
  get awaited(): string[] {
    const kinds = Object.keys(policyKeys) as (keyof PolicyInputs)[];
    return kinds.filter((kind) => !this[kind].isSynced);
  }

  get policies(): number {
    return this.networkPolicies.size + this.clusterPolicies.size;
  }

  cluster(): Cluster {
    return {
      namespaces: this.namespaces.all(),
      pods: this.pods.all(),
      nodes: this.nodes.all(),
      networkPolicies: this.networkPolicies.all(),
      clusterPolicies: this.clusterPolicies.all(),
    };
  }
}
