import { Odp } from "../../../lib/host/datapath/ovs/odp.ts";
import { defaultDeviceNames } from "../../../lib/host/device-names.ts";
import { NetworkNamespace, namedNamespaceFolder } from "../../../lib/host/netns.ts";
import type { Host } from "../../hosts/lab.ts";
import { eventually, must, type RunOptions } from "../../hosts/shell.ts";

/** Launches a router that may use whatever datapath there is. */
export async function launch(
  host: Host,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<void> {
  const own = ["--name", host.peerName, "--nickname", `host${host.number}`, "--no-restart"];
  await host.mustWeave(["launch", ...own, ...args], options);
}

/** Makes a host one on which a router has used openvswitch before: the next one goes on with it. */
export async function useOpenvswitch(host: Host): Promise<void> {
  await must(["ip", "-n", host.namespace, "link", "add", "weave", "type", "bridge"]);
  using namespace = new NetworkNamespace(`${namedNamespaceFolder}/${host.namespace}`);
  namespace.run(() => {
    using odp = new Odp();
    odp.openDatapath(defaultDeviceNames.datapath);
  });
}

/** Waits until so many connections of this host are established over this overlay. */
export function carriedBy(
  host: Host,
  overlay: string,
  count = 1,
  waitMs = 30_000,
): Promise<string> {
  return eventually(
    `${count} connections over ${overlay} at ${host.namespace}`,
    async () => (await host.weave(["status", "connections"])).stdout,
    (text) => text.split("\n").filter((line) => line.includes(` ${overlay} `)).length >= count,
    waitMs,
  );
}
