import { join } from "node:path";
import type { ClusterLab } from "./cluster-lab.ts";
import { type ClusterNode, namesAddress } from "./cluster-node.ts";
import { admin } from "./credentials.ts";
import type { ApiAccess } from "./script-client.ts";
import { TestPods } from "./test-pods.ts";

/** How policies select who answers, as in most clusters. */
export const namesLabels = { "k8s-app": "kube-dns" };
export const namesNamespace = "kube-system";

/** Prints the network namespace that has an address, `$0`. */
const findNamespace = `
for each in /run/netns/*; do
  ip -n "\${each##*/}" -4 addr show dev eth0 2>/dev/null | grep -qF " $0/" || continue
  echo "$each"
  break
done`;

/**
 * Has a pod on a node answer for the names of services, at `namesAddress`. Its image has no
 * program for that: `name-server.ts` runs beside it, in its network namespace. Gives its address.
 */
export async function serveNames(lab: ClusterLab, node: ClusterNode): Promise<string> {
  const pods = await TestPods.in(lab, namesNamespace);
  const [address] = await pods.run([{ name: "names", node, labels: namesLabels }]);
  const ports = [{ port: 53, protocol: "UDP" }];
  const spec = { selector: namesLabels, clusterIP: namesAddress, ports };
  await pods.apply([{ apiVersion: "v1", kind: "Service", metadata: { name: "kube-dns" }, spec }]);
  const namespace = await node.mustExec(["sh", "-ec", findNamespace, address!]);
  const { url, authority } = lab.plane.server;
  const access: ApiAccess = { url, authority, token: admin.token };
  const script = [process.execPath, join(import.meta.dir, "name-server.ts")];
  node.serve("names", ["nsenter", `--net=${namespace}`, ...script], {
    API: JSON.stringify(access),
  });
  return address!;
}
