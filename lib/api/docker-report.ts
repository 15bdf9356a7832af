/** What a report says of the Docker engine, of the proxy before it and of its network plugin. */

/** How it stands with the Docker engine; texts are empty for what is not, times RFC 3339. */
export interface DockerReport {
  readonly Endpoint: string;
  readonly TLS: boolean;
  /** Of our own requests; empty while it is not known. */
  readonly APIVersion: string;
  /** Since when its events are followed; empty while they are not. */
  readonly Since: string;
  /** What ended that last, or keeps it from beginning. */
  readonly LastError: string;
  readonly LastErrorAt: string;
  /** Of an engine that is there, or was, and is not followed; absent while there is none. */
  readonly Trouble?: { readonly Code: string; readonly Message: string; readonly Remedy: string };
  /** Containers that run and were attached when they started, or were found. */
  readonly Attached: number;
  /** Containers that could not be attached, and why the last time; absent while there are none. */
  readonly Failures?: readonly AttachFailureReport[];
  /** Containers whose commands wait for the network; absent while there are none. */
  readonly Waiting?: readonly WaitingContainerReport[];
}

export interface AttachFailureReport {
  readonly ContainerID: string;
  readonly Name: string;
  readonly At: string;
  readonly Reason: string;
  readonly Remedy: string;
}

export interface WaitingContainerReport {
  readonly ContainerID: string;
  readonly Name: string;
  /** How long it has waited so far. */
  readonly Seconds: number;
  readonly Reason: string;
  readonly Remedy: string;
}

export interface ProxyReport {
  /** Where it listens: `tcp://ip:port`, `unix:///path`. */
  readonly Addresses: readonly string[] | null;
  /** Where it cannot, and why; absent while there is nothing. */
  readonly Problems?: readonly string[];
}

export interface PluginReport {
  readonly Config: {
    readonly Socket: string;
    readonly MeshSocket: string;
    readonly Enable: boolean;
    /** Docker itself keeps this router as a plugin. */
    readonly EnableV2: boolean;
    readonly EnableV2Multicast: boolean;
    readonly DNS: boolean;
    readonly DefaultSubnet: string;
    readonly ProcPath: string;
  };
  /** Of networks of a swarm, as Docker calls it. */
  readonly DriverName: string;
  /** Of networks with addresses of ours; absent without. */
  readonly MeshDriverName?: string;
  /** Networks of Docker that are ours. */
  readonly Networks: readonly PluginNetworkReport[] | null;
  /** What does not work; absent while there is nothing. */
  readonly Problems?: readonly string[];
}

export interface PluginNetworkReport {
  readonly ID: string;
  readonly Driver: string;
  /** Empty when it is not known. */
  readonly Subnet: string;
  readonly Multicast: boolean;
  /** Whether its containers are kept within the subnet. */
  readonly Isolated: boolean;
  /** Containers of this host that are connected to it. */
  readonly Endpoints: number;
}
