/** How it stands with a node of Kubernetes; texts are empty for what is not, times RFC 3339. */
export interface KubernetesReport {
  readonly Node: string;
  /** Whether network policies are enforced. */
  readonly Policy: boolean;
  /** What keeps the node from being of use, a sentence each; null for nothing. */
  readonly Awaited: readonly string[] | null;
  /** What has to be done once. */
  readonly Tasks: readonly KubernetesTaskReport[];
  /** What is followed of the cluster. */
  readonly Watches: readonly KubernetesWatchReport[];
  /** Ranges of removed nodes. */
  readonly Reclaim: {
    /** `member`; `nodeless` when this node is none of the cluster, `struck` when its peer is not listed. */
    readonly Standing: string;
    /** Peers whose nodes are gone, and which are listed still. */
    readonly Gone: number;
    /** Peers whose ranges were taken here. */
    readonly Reclaimed: number;
    readonly Trouble: string;
  };
}

export interface KubernetesTaskReport {
  readonly Name: string;
  readonly Done: boolean;
  /** Since when it is done, or is not. */
  readonly Since: string;
  /** Why it could not be done the last time. */
  readonly Code: string;
  readonly Message: string;
  readonly Remedy: string;
}

export interface KubernetesWatchReport {
  readonly Resource: string;
  /** stopped, listing, watching, resting or absent. */
  readonly Phase: string;
  readonly Synced: boolean;
  readonly Objects: number;
  /** When the server was last heard of. */
  readonly Heard: string;
  readonly LastError: string;
  readonly LastErrorAt: string;
}
