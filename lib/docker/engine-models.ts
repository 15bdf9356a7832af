/**
 * What the engine's API answers, reduced to what the router asks for, over all versions from 1.24 on;
 * `engine-answers.ts` reads them.
 */

/** A container as the engine describes it. */
export interface EngineContainer {
  /** 64 hex digits. */
  readonly id: string;
  /** As people call it, without slash. */
  readonly name: string;
  /** Process id of its first process; 0 when it does not run. */
  readonly pid: number;
  readonly running: boolean;
  readonly restarting: boolean;
  /** Without domain. */
  readonly hostname: string;
  readonly domainname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `default`, `bridge`, `host`, `none`, `container:<id>` or the name of a network. */
  readonly networkMode: string;
  readonly usesHostNetwork: boolean;
  /** `name:address`, as given with `--add-host`. */
  readonly extraHosts: readonly string[];
  readonly mounts: readonly EngineMount[];
  /** One for each network that it is connected to. */
  readonly networks: readonly EngineAttachment[];
  /** Path of the hosts file that the engine made for it; empty when it has none. */
  readonly hostsPath: string;
}

export interface EngineMount {
  /** On the host; empty for what is in memory. */
  readonly source: string;
  /** In the container. */
  readonly target: string;
}

/** A container's place in one of the engine's networks. */
export interface EngineAttachment {
  /** 64 hex digits; empty while it has not been started. */
  readonly networkId: string;
  /** The network's name. */
  readonly name: string;
  /** Without prefix; empty while it does not run. */
  readonly ip: string;
  /** Length of the prefix in bits; 0 while it does not run. */
  readonly prefix: number;
  /** Empty while it does not run. */
  readonly mac: string;
  /** Names by which others of the network find it, its short id included where the engine says so. */
  readonly aliases: readonly string[];
}

/** A container as lists have it. */
export interface ListedEngineContainer {
  readonly id: string;
  /** Without slash; those that links gave it are left out. */
  readonly names: readonly string[];
  /** True also while it is paused. */
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EngineImage {
  /** `sha256:` and 64 hex digits. */
  readonly id: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** `local`, `global` or `swarm`. */
  readonly scope: string;
  readonly options: Readonly<Record<string, string>>;
  /** In CIDR notation. */
  readonly subnets: readonly string[];
  /** Those connected to it on this host. */
  readonly containers: readonly { readonly id: string; readonly name: string }[];
}

/** What a network is made of. */
export interface NewEngineNetwork {
  readonly name: string;
  readonly driver: string;
  readonly ipam: {
    readonly driver: string;
    /** In CIDR notation. */
    readonly subnet: string;
  };
  readonly options: Readonly<Record<string, string>>;
}

/** The engine itself. */
export interface EngineInfo {
  readonly name: string;
  /** Of the engine, not of its API. */
  readonly version: string;
  /** `iptables`, `nftables`, `iptables+firewalld`, …; empty before 1.49. */
  readonly firewall: string;
  readonly swarm: {
    /** `active`, `inactive`, `pending`, `error` or `locked`. */
    readonly state: string;
    readonly nodeId: string;
    readonly nodeAddress: string;
    /** `host:port` of each manager, this node included when it is one. */
    readonly managers: readonly string[];
  };
}
