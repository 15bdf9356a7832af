/** Where runtimes look for networks, below the root of their host. */
export const networkFolder = "etc/cni/net.d";
export const networkFile = "10-weave.conflist";
/** What releases before 2.5 of the original have put there. */
export const formerNetworkFile = "10-weave.conf";

/**
 * The network that `weave setup-cni` hands to runtimes: ours, and after it the reference plugin for
 * host ports. CHECK is off for the list, because release 1.1.1 of that plugin fails it for networks
 * of IPv4 alone.
 */
export function networkList({ hairpin }: { readonly hairpin: boolean }): string {
  const list = {
    cniVersion: "1.0.0",
    name: "weave",
    disableCheck: true,
    plugins: [
      { name: "weave", type: "weave-net", hairpinMode: hairpin },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(list, null, 2)}\n`;
}
