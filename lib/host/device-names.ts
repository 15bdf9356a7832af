/** Names of the devices that the router owns on a host; at most 15 characters each. */
export interface DeviceNames {
  /** The Linux bridge to which containers are attached. */
  readonly bridge: string;
  /** The end of the tap pair that is a port of the bridge. */
  readonly tap: string;
  /** The end of the tap pair on which the router captures and injects frames. */
  readonly capture: string;
  /** The kernel datapath of the original's default wiring. */
  readonly datapath: string;
}

export const defaultDeviceNames: DeviceNames = {
  bridge: "weave",
  tap: "vethwe-bridge",
  capture: "vethwe-pcap",
  datapath: "datapath",
};

/** The ends of the pair for an endpoint of a container engine's network, until the engine renames one. */
const endpointPrefixes = { near: "vethwl", far: "vethwg" } as const;
const endpointIdLength = 9;

/** How the host ends of container interfaces begin, made by us or by the original. */
export const containerPortPrefixes = ["vethwepl", endpointPrefixes.near] as const;

/** A pair of interfaces that leads from our bridge elsewhere: our end, and the other's. */
export interface PairEnds {
  readonly near: string;
  readonly far: string;
}

const joinPrefixes = { near: "vethwebl", far: "vethwebg" } as const;
const interfaceNameMax = 15;

/** Undefined for a bridge whose name leaves no room for the prefix. */
export function joinEnds(bridge: string): PairEnds | undefined {
  if (joinPrefixes.near.length + bridge.length > interfaceNameMax) return undefined;
  return { near: joinPrefixes.near + bridge, far: joinPrefixes.far + bridge };
}

/** The bridge that is joined by this end at ours; undefined for any other interface. */
export function joinOf(nearEnd: string): string | undefined {
  const { near } = joinPrefixes;
  return nearEnd.startsWith(near) ? nearEnd.slice(near.length) : undefined;
}

const runtimePortIdLength = 7;

/**
 * What the host end of a container runtime's interface is called, here and by the original; undefined
 * for an id that says too little.
 */
export function runtimePort(id: string): string | undefined {
  const shortestId = 5;
  if (id.length < shortestId) return undefined;
  return containerPortPrefixes[0] + id.slice(0, runtimePortIdLength);
}

export function isContainerPort(name: string): boolean {
  return containerPortPrefixes.some((prefix) => name.startsWith(prefix));
}

/** Ends of the pair for an endpoint with this id, as the original calls them too. */
export function endpointEnds(id: string): PairEnds {
  const short = id.slice(0, endpointIdLength);
  return { near: endpointPrefixes.near + short, far: endpointPrefixes.far + short };
}

/** Whether a container engine has this interface made, for one of its networks. */
export function isEndpointPort(name: string): boolean {
  return name.startsWith(endpointPrefixes.near);
}
