import type { ClusterLab } from "./cluster-lab.ts";

/**
 * A network of pods by reference plugins and routes, which enforces no policy at all: what it fails, and
 * what it passes, shows what tests of policies are worth.
 */
export async function usePlainNetwork(lab: ClusterLab): Promise<void> {
  const subnetOf = (number: number): string => `10.32.${number}.0/24`;
  for (const node of lab.nodes) {
    await node.mustExec(["sh", "-ec", 'cp "$@" /opt/cni/bin', "sh", ...plugins]);
    for (const other of lab.nodes) {
      if (other === node) continue;
      await node.mustExec(["ip", "route", "add", subnetOf(other.number), "via", other.ip]);
    }
    const list = JSON.stringify(networkList(subnetOf(node.number)));
    await node.mustExec(["sh", "-c", "cat >/etc/cni/net.d/10-plain.conflist"], { stdin: list });
  }
}

const plugins = ["/usr/lib/cni/bridge", "/usr/lib/cni/host-local"];

function networkList(subnet: string): object {
  const ipam = { type: "host-local", subnet, routes: [{ dst: "0.0.0.0/0" }] };
  const bridge = { type: "bridge", bridge: "plain0", isGateway: true, hairpinMode: true, ipam };
  const ports = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "plain", plugins: [bridge, ports] };
}
