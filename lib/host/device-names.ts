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

/** How the host ends of container interfaces begin, made by us or by the original. */
export const containerPortPrefixes = ["vethwepl", "vethwl"] as const;

export function isContainerPort(name: string): boolean {
  return containerPortPrefixes.some((prefix) => name.startsWith(prefix));
}
