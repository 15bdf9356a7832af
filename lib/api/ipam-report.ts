export interface IpamReport {
  /** Not null only while an election is awaited. */
  readonly Paxos: {
    readonly Elector: boolean;
    readonly KnownNodes: number;
    readonly Quorum: number;
  } | null;
  readonly Range: string;
  readonly RangeNumIPs: number;
  readonly ActiveIPs: number;
  readonly DefaultSubnet: string;
  readonly Entries: readonly RingEntryReport[] | null;
  readonly PendingClaims:
    | readonly {
        readonly Ident: string;
        readonly CIDR: { readonly Addr: string; readonly PrefixLen: number };
      }[]
    | null;
  readonly PendingAllocates: readonly string[] | null;
  /** Peers whose rings disagree with ours; absent while there are none. */
  readonly Conflicts?: readonly ConflictReport[];
  /** Automatic reclaim; absent while it is off. */
  readonly Reclaim?: ReclaimReport;
}

export interface ConflictReport {
  readonly Peer: string;
  readonly Nickname: string;
  /** Stable, `IPAM_RING_…`. */
  readonly Code: string;
  readonly Message: string;
  readonly Remedy: string;
  /** RFC 3339. */
  readonly Since: string;
}

export interface ReclaimReport {
  /** 0 while there is no council. */
  readonly AfterSeconds: number;
  /** Decrees so far. */
  readonly Epoch: number;
  readonly Members: readonly string[];
  /** Whether addresses may be given out: false without a majority for too long. */
  readonly MayAllocate: boolean;
  /** Null for a peer that needs no lease. */
  readonly LeaseLeftSeconds: number | null;
  readonly Taken: readonly { readonly Peer: string; readonly Epoch: number }[];
}

export interface RingEntryReport {
  readonly Token: string;
  readonly Size: number;
  readonly Peer: string;
  readonly Nickname: string;
  readonly IsKnownPeer: boolean;
  readonly Version: number;
}
