/** Policies; texts are empty for what is not, times RFC 3339. */
export interface PolicyReport {
  /** waiting, enforcing, failing, or off where what is left of a former run cannot be removed. */
  readonly Status: string;
  /** `kubernetes`, or `weave policy`. */
  readonly Source: string;
  /** nftables or iptables; empty before it is needed. */
  readonly Enforcer: string;
  /** Why that one. */
  readonly Reason: string;
  readonly Policies: number;
  readonly ClusterPolicies: number;
  readonly Namespaces: number;
  readonly Pods: number;
  /** Those of this host. */
  readonly LocalPods: number;
  /** Addresses that nothing passes to or from, because nobody knows whose they are. */
  readonly Held: number;
  /** Put in place since the start. */
  readonly Changes: number;
  /** Attempts that failed since the start. */
  readonly Errors: number;
  /** Kinds of objects that have not been told yet; absent when all have. */
  readonly Awaited?: readonly string[];
  /** Why they are not enforced; absent while they are. */
  readonly Trouble?: {
    readonly Code: string;
    readonly Message: string;
    readonly Remedy: string;
    readonly Since: string;
  };
  /** Connections that later policies do not allow; absent where those go on, as they do by default. */
  readonly Standing?: {
    /** Ended since the start. */
    readonly Cut: number;
    /** Why some go on that should not; empty while none does. */
    readonly Trouble: string;
    readonly Remedy: string;
  };
  /** What of policies is not understood, a sentence each; less is allowed for it. */
  readonly Faults: readonly string[] | null;
  /** Hosts of the network that enforce nothing; absent where it is not known. */
  readonly NotEnforcing?: readonly string[];
}
