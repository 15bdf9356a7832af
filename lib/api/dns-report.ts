export interface DnsReport {
  readonly Domain: string;
  readonly Upstream: readonly string[] | null;
  readonly Address: string;
  readonly TTL: number;
  readonly Entries: readonly DnsEntryReport[] | null;
}

export interface DnsEntryReport {
  readonly Hostname: string;
  readonly Origin: string;
  readonly ContainerID: string;
  readonly Address: string;
  readonly Version: number;
  /** Unix seconds of deletion; 0 for a live name. */
  readonly Tombstone: number;
}
