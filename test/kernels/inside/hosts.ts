import { Odp } from "../../../lib/host/datapath/ovs/odp.ts";
import { defaultDeviceNames } from "../../../lib/host/device-names.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../../lib/host/netns.ts";
import type { Host } from "../../hosts/lab.ts";
import { must } from "../../hosts/shell.ts";

/** Makes a host one on which a router has used openvswitch before: the next one goes on with it. */
export async function useOpenvswitch(host: Host): Promise<void> {
  await must(["ip", "-n", host.namespace, "link", "add", "weave", "type", "bridge"]);
  using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
  namespace.run(() => {
    using odp = new Odp();
    odp.openDatapath(defaultDeviceNames.datapath);
  });
}
